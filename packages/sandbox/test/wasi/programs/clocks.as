// Clocks rise, sleeping takes time, and there are none of CPU time.
import { check, clock_res_get, clock_time_get, E, OUT, poll_oneoff, random_get } from "./wasi";

const subscriptions = memory.data(96, 8);
const events = memory.data(64, 8);

function now(id: i32): i64 {
  check(1, clock_time_get(id, 0, OUT), E.OK);
  return load<i64>(OUT);
}

function sleepUntil(timeout: i64, flags: u16): void {
  store<u64>(subscriptions, 7);
  store<u8>(subscriptions, 0, 8);
  store<u32>(subscriptions, 1, 16);
  store<i64>(subscriptions, timeout, 24);
  store<u16>(subscriptions, flags, 40);
  check(2, poll_oneoff(subscriptions, events, 1, OUT), E.OK);
  check(3, load<u32>(OUT), 1);
  check(4, load<u64>(events), 7);
  check(5, load<u16>(events, 8), E.OK);
}

check(6, clock_res_get(0, OUT), E.OK);
check(7, load<i64>(OUT) > 0 ? 1 : 0, 1);
check(8, clock_res_get(2, OUT), E.INVAL);
check(9, now(0) > 1500000000000000000 ? 1 : 0, 1);
const begun = now(1);
sleepUntil(20000000, 0);
check(10, now(1) - begun >= 19000000 ? 1 : 0, 1);
sleepUntil(now(1) + 20000000, 1);
check(11, now(1) - begun >= 38000000 ? 1 : 0, 1);
// A descriptor that is ready ends the wait at once, and one that is not there says so.
store<u8>(subscriptions, 1, 8);
store<u32>(subscriptions, 0, 16);
store<u8>(subscriptions, 1, 48 + 8);
store<u32>(subscriptions, 99, 48 + 16);
check(12, poll_oneoff(subscriptions, events, 2, OUT), E.OK);
check(13, load<u32>(OUT), 2);
check(14, load<u16>(events, 8), E.OK);
check(15, load<u16>(events, 32 + 8), E.BADF);
check(16, poll_oneoff(subscriptions, events, 0, OUT), E.INVAL);
// Two draws of random bytes are not the same.
check(17, random_get(OUT, 16) + random_get(OUT + 16, 16), E.OK);
check(18, load<u64>(OUT) == load<u64>(OUT, 16) && load<u64>(OUT, 8) == load<u64>(OUT, 24) ? 1 : 0, 0);
