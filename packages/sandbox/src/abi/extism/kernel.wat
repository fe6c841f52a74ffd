;; The Extism kernel: the memory through which an Extism plugin and its host exchange bytes, with the
;; behaviour of the native kernel that PDKs are built against. It is linked between plugin and runner
;; as a WebAssembly instance, so that a plugin's loads and stores never enter JavaScript.
;;
;; Every argument is attacker-controlled: the importing plugin is the untrusted party. What is trusted
;; (the block table, the free lists, input, output, error) lives in globals, below $HEAP, or in the
;; range of the block table, and no load or store of a plugin reaches these. Hence:
;;   - a handle is believed only if the block table confirms it (`lookup`), whatever the plugin wrote
;;     over block headers;
;;   - `output_offset` and `output_length` always name bytes that exist;
;;   - no function traps, and none but `reset` does more than bounded work (the block table is copied
;;     when it doubles, which is constant per block).
;;
;; Memory:
;;   0     … 128     head of the free list of each size class (block number, 0 = empty)
;;   256   … HEAP    first block table, 1024 entries
;;   HEAP  … top     blocks: 4 bytes block number, 4 unused, then the bytes, padded to 8;
;;                   later block tables, each twice the one before
;; An entry of the block table: offset of the bytes, capacity, length, next free block (-1 = live).
;; Block 0 does not exist, and so stands for "none".
;;
;; Size class c holds free blocks of 2^c to 2^(c+1)-1 bytes. A request looks at no more than eight
;; blocks of its own class and then takes the head of the next class that has one, which always fits:
;; no pattern of alloc and free makes alloc slow. Blocks are split and never joined; `reset`, after
;; every call, ends all fragmentation.
(module
  (memory (export "memory") 1)

  (global $HEAP i32 (i32.const 16640))
  (global $FIRST_TABLE i32 (i32.const 256))
  (global $FIRST_TABLE_ENTRIES i32 (i32.const 1024))
  ;; A table of 2^27 entries takes 2 GiB; twice that would not fit into 32 bits.
  (global $MAX_TABLE_ENTRIES i32 (i32.const 134217728))
  ;; The last page of the 4 GiB stays unused, so that 32-bit sums of offset and padding cannot wrap.
  (global $MAX_TOP i64 (i64.const 0xffff0000))
  (global $FREE_LIST_STEPS i32 (i32.const 8))
  (global $SPLIT_REST i32 (i32.const 64))
  (global $LIVE i32 (i32.const -1))

  (global $top (mut i32) (i32.const 16640))
  (global $table (mut i32) (i32.const 256))
  (global $table_entries (mut i32) (i32.const 1024))
  (global $next_block (mut i32) (i32.const 1))
  ;; Bit c is set when the free list of class c is not empty.
  (global $classes (mut i32) (i32.const 0))

  (global $input_offset (mut i64) (i64.const 0))
  (global $input_length (mut i64) (i64.const 0))
  (global $output_offset (mut i64) (i64.const 0))
  (global $output_length (mut i64) (i64.const 0))
  (global $error (mut i64) (i64.const 0))

  ;; ---- allocation ----

  ;; A block of $size bytes, not zeroed where it is reused; 0 for no bytes and for no memory.
  (func $alloc (export "alloc") (param $size i64) (result i64)
    (local $capacity i32) (local $block i32) (local $entry i32)
    (if (i64.eqz (local.get $size)) (then (return (i64.const 0))))
    (if (i64.gt_u (local.get $size) (global.get $MAX_TOP)) (then (return (i64.const 0))))
    (local.set $capacity
      (i32.and
        (i32.add (i32.wrap_i64 (local.get $size)) (i32.const 7))
        (i32.const -8)))
    (local.set $block (call $take_free (local.get $capacity)))
    (if (i32.eqz (local.get $block))
      (then (local.set $block (call $append_block (local.get $capacity)))))
    (if (i32.eqz (local.get $block)) (then (return (i64.const 0))))
    (local.set $entry (call $entry (local.get $block)))
    (i32.store offset=8 (local.get $entry) (i32.wrap_i64 (local.get $size)))
    (i32.store offset=12 (local.get $entry) (global.get $LIVE))
    ;; Written again for a reused block, whose header the plugin may have overwritten.
    (i32.store
      (i32.sub (i32.load (local.get $entry)) (i32.const 8))
      (local.get $block))
    (i64.extend_i32_u (i32.load (local.get $entry))))

  ;; The bytes stay readable until another block takes the place. Not a live handle: nothing happens.
  (func $free (export "free") (param $handle i64)
    (local $block i32)
    (local.set $block (call $lookup (local.get $handle)))
    (if (i32.eqz (local.get $block)) (then (return)))
    (call $push_free (local.get $block))
    (if (i64.eq (local.get $handle) (global.get $input_offset))
      (then (global.set $input_length (i64.const 0)))))

  ;; Bytes of a live block, 0 for anything else.
  (func $length (export "length") (export "length_unsafe") (param $handle i64) (result i64)
    (local $block i32)
    (local.set $block (call $lookup (local.get $handle)))
    (if (i32.eqz (local.get $block)) (then (return (i64.const 0))))
    (i64.load32_u offset=8 (call $entry (local.get $block))))

  ;; ---- bytes: out of range loads are 0, out of range stores do nothing ----

  (func (export "load_u8") (param $offset i64) (result i32)
    (if (i32.eqz (call $covers (local.get $offset) (i64.const 1))) (then (return (i32.const 0))))
    (i32.load8_u (i32.wrap_i64 (local.get $offset))))

  (func (export "load_u64") (param $offset i64) (result i64)
    (if (i32.eqz (call $covers (local.get $offset) (i64.const 8))) (then (return (i64.const 0))))
    (i64.load align=1 (i32.wrap_i64 (local.get $offset))))

  (func (export "store_u8") (param $offset i64) (param $value i32)
    (if (i32.eqz (call $covers (local.get $offset) (i64.const 1))) (then (return)))
    (i32.store8 (i32.wrap_i64 (local.get $offset)) (local.get $value)))

  (func (export "store_u64") (param $offset i64) (param $value i64)
    (if (i32.eqz (call $covers (local.get $offset) (i64.const 8))) (then (return)))
    (i64.store align=1 (i32.wrap_i64 (local.get $offset)) (local.get $value)))

  ;; ---- input, output, error ----

  (func (export "input_offset") (result i64) (global.get $input_offset))
  (func (export "input_length") (result i64) (global.get $input_length))

  ;; The input's block was allocated by `begin_input`: within its length no further check is needed.
  (func (export "input_load_u8") (param $offset i64) (result i32)
    (if (i64.ge_u (local.get $offset) (global.get $input_length)) (then (return (i32.const 0))))
    (i32.load8_u
      (i32.wrap_i64 (i64.add (global.get $input_offset) (local.get $offset)))))

  (func (export "input_load_u64") (param $offset i64) (result i64)
    (if (i64.lt_u (global.get $input_length) (i64.const 8)) (then (return (i64.const 0))))
    (if (i64.gt_u (local.get $offset) (i64.sub (global.get $input_length) (i64.const 8)))
      (then (return (i64.const 0))))
    (i64.load align=1
      (i32.wrap_i64 (i64.add (global.get $input_offset) (local.get $offset)))))

  ;; No bytes is an empty output; a range that is not all in blocks is ignored.
  (func (export "output_set") (param $offset i64) (param $length i64)
    (if (i64.eqz (local.get $length))
      (then
        (global.set $output_offset (i64.const 0))
        (global.set $output_length (i64.const 0))
        (return)))
    (if (i32.eqz (call $covers (local.get $offset) (local.get $length))) (then (return)))
    (global.set $output_offset (local.get $offset))
    (global.set $output_length (local.get $length)))
  (func (export "output_offset") (result i64) (global.get $output_offset))
  (func (export "output_length") (result i64) (global.get $output_length))

  ;; 0 clears. What is out of range is ignored; whether it is a live block, `length` says.
  (func (export "error_set") (param $handle i64)
    (if (i32.eqz
          (i32.or
            (i64.eqz (local.get $handle))
            (call $covers (local.get $handle) (i64.const 1))))
      (then (return)))
    (global.set $error (local.get $handle)))
  (func (export "error_get") (result i64) (global.get $error))

  ;; ---- for the runner only, never linked to a plugin ----

  ;; Allocates the input and answers its offset, where the runner then writes the bytes. 0 is an empty
  ;; input for length 0, and otherwise means that there is no memory.
  (func (export "begin_input") (param $length i64) (result i64)
    (global.set $input_offset (call $alloc (local.get $length)))
    (global.set $input_length
      (select
        (i64.const 0)
        (local.get $length)
        (i64.eqz (global.get $input_offset))))
    (global.get $input_offset))

  ;; Between two calls: frees everything and zeroes all that a plugin or the runner can have written.
  ;; The first block table keeps its old numbers: no load reaches them, and entries are written before
  ;; they are read.
  (func (export "reset")
    (memory.fill
      (global.get $HEAP)
      (i32.const 0)
      (i32.sub (global.get $top) (global.get $HEAP)))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 128))
    (global.set $top (global.get $HEAP))
    (global.set $table (global.get $FIRST_TABLE))
    (global.set $table_entries (global.get $FIRST_TABLE_ENTRIES))
    (global.set $next_block (i32.const 1))
    (global.set $classes (i32.const 0))
    (global.set $input_offset (i64.const 0))
    (global.set $input_length (i64.const 0))
    (global.set $output_offset (i64.const 0))
    (global.set $output_length (i64.const 0))
    (global.set $error (i64.const 0)))

  ;; ---- how it is done ----

  ;; Whether $length ≥ 1 bytes from $offset are all in the heap and none in the block table. Neither
  ;; sum can wrap: both operands are compared with $top first.
  (func $covers (param $offset i64) (param $length i64) (result i32)
    (local $top i64) (local $table i64)
    (local.set $top (i64.extend_i32_u (global.get $top)))
    (if (i64.lt_u (local.get $offset) (i64.extend_i32_u (global.get $HEAP)))
      (then (return (i32.const 0))))
    (if (i64.gt_u (local.get $offset) (local.get $top)) (then (return (i32.const 0))))
    (if (i64.gt_u (local.get $length) (i64.sub (local.get $top) (local.get $offset)))
      (then (return (i32.const 0))))
    (local.set $table (i64.extend_i32_u (global.get $table)))
    (i32.or
      (i64.le_u (i64.add (local.get $offset) (local.get $length)) (local.get $table))
      (i64.ge_u
        (local.get $offset)
        (i64.add
          (local.get $table)
          (i64.shl (i64.extend_i32_u (global.get $table_entries)) (i64.const 4))))))

  ;; The number of the live block with this handle, or 0. The number in the header is the plugin's to
  ;; overwrite; it only says which entry to ask.
  (func $lookup (param $handle i64) (result i32)
    (local $offset i32) (local $block i32) (local $entry i32)
    (if (i64.lt_u (local.get $handle) (i64.extend_i32_u (i32.add (global.get $HEAP) (i32.const 8))))
      (then (return (i32.const 0))))
    (if (i64.ge_u (local.get $handle) (i64.extend_i32_u (global.get $top)))
      (then (return (i32.const 0))))
    (local.set $offset (i32.wrap_i64 (local.get $handle)))
    (local.set $block (i32.load align=1 (i32.sub (local.get $offset) (i32.const 8))))
    (if (i32.eqz (local.get $block)) (then (return (i32.const 0))))
    (if (i32.ge_u (local.get $block) (global.get $next_block)) (then (return (i32.const 0))))
    (local.set $entry (call $entry (local.get $block)))
    (if (i32.ne (i32.load (local.get $entry)) (local.get $offset)) (then (return (i32.const 0))))
    (if (i32.ne (i32.load offset=12 (local.get $entry)) (global.get $LIVE))
      (then (return (i32.const 0))))
    (local.get $block))

  ;; Address of a block's entry, good until the next $new_block.
  (func $entry (param $block i32) (result i32)
    (i32.add (global.get $table) (i32.shl (local.get $block) (i32.const 4))))

  (func $class_of (param $capacity i32) (result i32)
    (i32.sub (i32.const 31) (i32.clz (local.get $capacity))))

  ;; Takes a free block of at least $capacity bytes out of the free lists, or answers 0.
  (func $take_free (param $capacity i32) (result i32)
    (local $class i32) (local $block i32) (local $before i32) (local $steps i32)
    (local.set $class (call $class_of (local.get $capacity)))
    (local.set $block (call $head (local.get $class)))
    (local.set $steps (global.get $FREE_LIST_STEPS))
    (block $found
      (block $not_here
        (loop $next
          (br_if $not_here (i32.eqz (local.get $block)))
          (br_if $not_here (i32.eqz (local.get $steps)))
          (br_if $found
            (i32.ge_u
              (i32.load offset=4 (call $entry (local.get $block)))
              (local.get $capacity)))
          (local.set $before (local.get $block))
          (local.set $block (i32.load offset=12 (call $entry (local.get $block))))
          (local.set $steps (i32.sub (local.get $steps) (i32.const 1)))
          (br $next)))
      (local.set $before (i32.const 0))
      ;; The classes above this one; for class 31 the shift leaves none.
      (local.set $class
        (i32.ctz
          (i32.and
            (global.get $classes)
            (i32.sub (i32.const 0) (i32.shl (i32.const 2) (local.get $class))))))
      (if (i32.eq (local.get $class) (i32.const 32)) (then (return (i32.const 0))))
      (local.set $block (call $head (local.get $class))))
    (call $unlink (local.get $class) (local.get $before) (local.get $block))
    (call $split (local.get $block) (local.get $capacity))
    (local.get $block))

  (func $head (param $class i32) (result i32)
    (i32.load (i32.shl (local.get $class) (i32.const 2))))

  (func $unlink (param $class i32) (param $before i32) (param $block i32)
    (local $after i32)
    (local.set $after (i32.load offset=12 (call $entry (local.get $block))))
    (if (local.get $before)
      (then
        (i32.store offset=12 (call $entry (local.get $before)) (local.get $after))
        (return)))
    (i32.store (i32.shl (local.get $class) (i32.const 2)) (local.get $after))
    (if (i32.eqz (local.get $after))
      (then
        (global.set $classes
          (i32.and
            (global.get $classes)
            (i32.xor (i32.shl (i32.const 1) (local.get $class)) (i32.const -1)))))))

  (func $push_free (param $block i32)
    (local $entry i32) (local $class i32)
    (local.set $entry (call $entry (local.get $block)))
    (local.set $class (call $class_of (i32.load offset=4 (local.get $entry))))
    (i32.store offset=12 (local.get $entry) (call $head (local.get $class)))
    (i32.store (i32.shl (local.get $class) (i32.const 2)) (local.get $block))
    (global.set $classes
      (i32.or (global.get $classes) (i32.shl (i32.const 1) (local.get $class)))))

  ;; Gives back what $block has beyond $capacity, if that is worth a block of its own.
  (func $split (param $block i32) (param $capacity i32)
    (local $entry i32) (local $rest i32) (local $offset i32) (local $spare i32)
    (local.set $entry (call $entry (local.get $block)))
    (local.set $spare
      (i32.sub (i32.load offset=4 (local.get $entry)) (local.get $capacity)))
    (if (i32.lt_u (local.get $spare) (global.get $SPLIT_REST)) (then (return)))
    (local.set $rest (call $new_block))
    (if (i32.eqz (local.get $rest)) (then (return)))
    ;; Asked again: $new_block may have moved the table.
    (local.set $entry (call $entry (local.get $block)))
    (i32.store offset=4 (local.get $entry) (local.get $capacity))
    (local.set $offset
      (i32.add
        (i32.add (i32.load (local.get $entry)) (local.get $capacity))
        (i32.const 8)))
    (local.set $entry (call $entry (local.get $rest)))
    (i32.store (local.get $entry) (local.get $offset))
    (i32.store offset=4 (local.get $entry) (i32.sub (local.get $spare) (i32.const 8)))
    (call $push_free (local.get $rest)))

  ;; A block of new memory at the top, or 0.
  (func $append_block (param $capacity i32) (result i32)
    (local $block i32) (local $header i32) (local $entry i32)
    (local.set $block (call $new_block))
    (if (i32.eqz (local.get $block)) (then (return (i32.const 0))))
    (local.set $header (call $reserve (i32.add (local.get $capacity) (i32.const 8))))
    (if (i32.eqz (local.get $header))
      (then
        (global.set $next_block (local.get $block))
        (return (i32.const 0))))
    (local.set $entry (call $entry (local.get $block)))
    (i32.store (local.get $entry) (i32.add (local.get $header) (i32.const 8)))
    (i32.store offset=4 (local.get $entry) (local.get $capacity))
    (local.get $block))

  ;; The next block number, with room for its entry, or 0. The table doubles at the top of the heap;
  ;; the old one is left behind, which costs less than the new one takes.
  (func $new_block (result i32)
    (local $table i32)
    (if (i32.eq (global.get $next_block) (global.get $table_entries))
      (then
        (if (i32.ge_u (global.get $table_entries) (global.get $MAX_TABLE_ENTRIES))
          (then (return (i32.const 0))))
        (local.set $table
          (call $reserve (i32.shl (global.get $table_entries) (i32.const 5))))
        (if (i32.eqz (local.get $table)) (then (return (i32.const 0))))
        (memory.copy
          (local.get $table)
          (global.get $table)
          (i32.shl (global.get $table_entries) (i32.const 4)))
        (global.set $table (local.get $table))
        (global.set $table_entries (i32.shl (global.get $table_entries) (i32.const 1)))))
    (global.get $next_block)
    (global.set $next_block (i32.add (global.get $next_block) (i32.const 1))))

  ;; Moves the top up by $bytes (a multiple of 8), growing the memory by what is missing and no more,
  ;; so that a cap on pages is exact. Answers the old top, or 0.
  (func $reserve (param $bytes i32) (result i32)
    (local $top i64) (local $missing i32)
    (local.set $top
      (i64.add
        (i64.extend_i32_u (global.get $top))
        (i64.extend_i32_u (local.get $bytes))))
    (if (i64.gt_u (local.get $top) (global.get $MAX_TOP)) (then (return (i32.const 0))))
    (local.set $missing
      (i32.sub
        (i32.wrap_i64
          (i64.shr_u (i64.add (local.get $top) (i64.const 65535)) (i64.const 16)))
        (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then
        (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1))
          (then (return (i32.const 0))))))
    (global.get $top)
    (global.set $top (i32.wrap_i64 (local.get $top))))
)
