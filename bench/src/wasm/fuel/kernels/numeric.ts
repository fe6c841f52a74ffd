/** @module Loop nests of numerical programs: products, solvers, stencils, dynamic programming. */
import {
  A,
  B,
  C,
  cell,
  each,
  eachOrNone,
  get,
  int,
  type Kernel,
  less,
  load,
  N,
  nest,
  plus,
  real,
  set,
  store,
  sum,
  times,
} from "./text.ts";

const [i, j, k, s, x] = ["i", "j", "k", "s", "x"].map(get) as [
  string,
  string,
  string,
  string,
  string,
];
const before = (index: string): string => plus(index, int(-1));
const behind = (index: string): string => plus(index, int(1));
const add = (base: number, index: string, value: string): string =>
  store(base, index, sum(load(base, index), value));
const third = real(0.333);
const tiny = real(0.001);

/** Sum over `k` into `s`. */
const dot = (one: string, other: string): string =>
  set("s", real(0)) + each("k", 0, N, set("s", sum(s, times(one, other))));
const inside = (body: string): string => each("i", 1, N - 1, each("j", 1, N - 1, body));

export const NUMERIC: readonly Kernel[] = [
  nest(
    "product",
    each(
      "i",
      0,
      N,
      each("j", 0, N, dot(load(A, cell(i, k)), load(B, cell(k, j))) + store(C, cell(i, j), s)),
    ),
  ),
  nest(
    "product-by-rows",
    each(
      "i",
      0,
      N,
      each(
        "k",
        0,
        N,
        set("x", times(tiny, load(A, cell(i, k)))) +
          each("j", 0, N, add(C, cell(i, j), times(x, load(B, cell(k, j))))),
      ),
    ),
  ),
  nest(
    "product-transposed",
    each(
      "i",
      0,
      N,
      each("j", 0, N, dot(load(A, cell(i, k)), load(B, cell(j, k))) + store(C, cell(i, j), s)),
    ),
  ),
  nest("matrix-vector", each("i", 0, N, dot(load(A, cell(i, k)), load(B, k)) + store(C, i, s))),
  nest(
    "vector-matrix",
    each(
      "k",
      0,
      N,
      each("j", 0, N, add(C, j, times(tiny, times(load(A, cell(k, j)), load(B, k))))),
    ),
  ),
  nest(
    "two-vectors",
    each(
      "i",
      0,
      N,
      each(
        "j",
        0,
        N,
        add(C, i, times(tiny, load(A, cell(i, j)))) +
          add(C, plus(j, int(N)), times(tiny, load(A, cell(j, i)))),
      ),
    ),
  ),
  nest(
    "rank-update",
    each(
      "i",
      0,
      N,
      eachOrNone(
        "j",
        0,
        behind(i),
        dot(load(A, cell(i, k)), load(A, cell(j, k))) + store(C, cell(i, j), s),
      ),
    ),
  ),
  nest(
    "rank-update-2",
    each(
      "i",
      0,
      N,
      eachOrNone(
        "j",
        0,
        behind(i),
        each(
          "k",
          0,
          N,
          add(
            C,
            cell(i, j),
            times(
              tiny,
              sum(
                times(load(A, cell(i, k)), load(B, cell(j, k))),
                times(load(B, cell(i, k)), load(A, cell(j, k))),
              ),
            ),
          ),
        ),
      ),
    ),
  ),
  nest(
    "triangular-product",
    each(
      "i",
      0,
      N,
      each(
        "j",
        0,
        N,
        eachOrNone(
          "k",
          behind(i),
          int(N),
          add(C, cell(i, j), times(tiny, times(load(A, cell(k, i)), load(B, cell(k, j))))),
        ),
      ),
    ),
  ),
  nest(
    "forward-solve",
    each(
      "i",
      0,
      N,
      set("x", load(B, i)) +
        eachOrNone(
          "j",
          0,
          i,
          set("x", less(x, times(tiny, times(load(A, cell(i, j)), load(C, j))))),
        ) +
        store(C, i, `(f64.div ${x} ${load(A, cell(i, i))})`),
    ),
  ),
  nest(
    "factorisation",
    each(
      "i",
      0,
      N,
      store(C, cell(i, i), real(N)) +
        eachOrNone(
          "j",
          0,
          i,
          set("x", load(C, cell(i, j))) +
            eachOrNone(
              "k",
              0,
              j,
              set("x", less(x, times(tiny, times(load(C, cell(i, k)), load(C, cell(k, j)))))),
            ) +
            store(C, cell(i, j), `(f64.div ${x} ${load(C, cell(j, j))})`),
        ),
    ),
  ),
  nest(
    "symmetric-factorisation",
    each(
      "i",
      0,
      N,
      store(C, cell(i, i), real(N)) +
        eachOrNone(
          "j",
          0,
          i,
          eachOrNone(
            "k",
            0,
            j,
            add(
              C,
              cell(i, j),
              times(real(-0.001), times(load(C, cell(i, k)), load(C, cell(j, k)))),
            ),
          ) + store(C, cell(i, j), `(f64.div ${load(C, cell(i, j))} ${load(C, cell(j, j))})`),
        ) +
        store(C, cell(i, i), `(f64.sqrt ${load(C, cell(i, i))})`),
    ),
  ),
  nest(
    "stencil-1d",
    each(
      "k",
      0,
      20,
      each(
        "i",
        1,
        N * N - 1,
        store(C, i, times(third, sum(load(A, before(i)), load(A, i), load(A, behind(i))))),
      ) + each("i", 1, N * N - 1, store(A, i, load(C, i))),
    ),
  ),
  nest(
    "stencil-2d",
    each(
      "k",
      0,
      8,
      inside(
        store(
          C,
          cell(i, j),
          times(
            real(0.2),
            sum(
              load(A, cell(i, j)),
              load(A, cell(i, before(j))),
              load(A, cell(i, behind(j))),
              load(A, cell(before(i), j)),
              load(A, cell(behind(i), j)),
            ),
          ),
        ),
      ),
    ),
  ),
  nest(
    "stencil-in-place",
    each(
      "k",
      0,
      4,
      inside(
        store(
          C,
          cell(i, j),
          times(
            real(0.2),
            sum(
              load(C, cell(i, before(j))),
              load(C, cell(before(i), j)),
              load(C, cell(i, j)),
              load(C, cell(i, behind(j))),
              load(C, cell(behind(i), j)),
            ),
          ),
        ),
      ),
    ),
  ),
  nest(
    "two-fields",
    each(
      "k",
      0,
      8,
      inside(
        add(C, cell(i, j), times(tiny, less(load(A, cell(i, j)), load(A, cell(before(i), j))))),
      ) +
        inside(
          add(
            A,
            cell(i, j),
            times(real(-0.001), less(load(C, cell(i, behind(j))), load(C, cell(i, j)))),
          ),
        ),
    ),
  ),
  nest(
    "shortest-paths",
    each(
      "k",
      0,
      N,
      each(
        "i",
        0,
        N,
        each(
          "j",
          0,
          N,
          store(
            C,
            cell(i, j),
            `(f64.min ${load(C, cell(i, j))} ${sum(load(C, cell(i, k)), load(C, cell(k, j)))})`,
          ),
        ),
      ),
    ),
  ),
  nest(
    "longest-common",
    each(
      "i",
      1,
      N,
      each(
        "j",
        1,
        N,
        store(
          C,
          cell(i, j),
          `(select ${sum(load(C, cell(before(i), before(j))), real(1))} (f64.max ${load(C, cell(before(i), j))} ${load(C, cell(i, before(j)))}) (f64.eq ${load(A, i)} ${load(B, j)}))`,
        ),
      ),
    ),
  ),
  nest(
    "knapsack",
    each(
      "i",
      1,
      N,
      each(
        "j",
        0,
        N,
        `(if (i32.ge_s ${j} (i32.and ${i} ${int(15)})) (then ${store(C, cell(i, j), `(f64.max ${load(C, cell(before(i), j))} ${sum(times(tiny, load(A, i)), load(C, cell(before(i), `(i32.sub ${j} (i32.and ${i} ${int(15)}))`)))})`)}) (else ${store(C, cell(i, j), load(C, cell(before(i), j)))}))`,
      ),
    ),
  ),
  nest(
    "covariance",
    each(
      "i",
      0,
      N,
      set("x", real(0)) +
        each("k", 0, N, set("x", sum(x, load(A, cell(k, i))))) +
        each("k", 0, N, store(B, cell(k, i), less(load(A, cell(k, i)), times(tiny, x)))) +
        eachOrNone(
          "j",
          0,
          behind(i),
          dot(load(B, cell(k, i)), load(B, cell(k, j))) + store(C, cell(i, j), s),
        ),
    ),
  ),
  nest(
    "pointers-that-step-by-8",
    `(local.set $x (f64.const 0)) (local.set $k (i32.const 0))
    (loop $walk (local.set $x (f64.add (local.get $x) (f64.mul (f64.load offset=${A} (local.get $k)) (f64.load offset=${B} (local.get $k)))))
      (br_if $walk (i32.ne (local.tee $k (i32.add (local.get $k) (i32.const 8))) (i32.const ${8 * N * N}))))
    (f64.store offset=${C} (i32.const 0) (local.get $x))`,
  ),
  nest(
    "pointers-tested-below",
    `(local.set $k (i32.const 0))
    (loop $walk (f64.store offset=${C} (local.get $k) (f64.add (f64.load offset=${A} (local.get $k)) (f64.load offset=${B} (local.get $k))))
      (br_if $walk (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 8))) (i32.const ${8 * N * N}))))`,
  ),
];
