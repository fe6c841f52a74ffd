/** @module The imports of `extism:host/env` that this library uses; handles are blocks of the kernel, 0 is none. */

@external("extism:host/env", "alloc")
export declare function alloc(size: u64): u64;
@external("extism:host/env", "free")
export declare function free(handle: u64): void;
@external("extism:host/env", "length")
export declare function length(handle: u64): u64;
@external("extism:host/env", "load_u8")
export declare function loadU8(offset: u64): u32;
@external("extism:host/env", "load_u64")
export declare function loadU64(offset: u64): u64;
@external("extism:host/env", "store_u8")
export declare function storeU8(offset: u64, value: u32): void;
@external("extism:host/env", "store_u64")
export declare function storeU64(offset: u64, value: u64): void;
@external("extism:host/env", "input_length")
export declare function inputLength(): u64;
@external("extism:host/env", "input_load_u8")
export declare function inputLoadU8(offset: u64): u32;
@external("extism:host/env", "input_load_u64")
export declare function inputLoadU64(offset: u64): u64;
@external("extism:host/env", "output_set")
export declare function outputSet(handle: u64, size: u64): void;
@external("extism:host/env", "error_set")
export declare function errorSet(handle: u64): void;
@external("extism:host/env", "config_get")
export declare function configGet(key: u64): u64;
@external("extism:host/env", "var_get")
export declare function varGet(key: u64): u64;
@external("extism:host/env", "var_set")
export declare function varSet(key: u64, value: u64): void;
@external("extism:host/env", "log_info")
export declare function logInfo(message: u64): void;
@external("extism:host/env", "log_warn")
export declare function logWarn(message: u64): void;
@external("extism:host/env", "log_error")
export declare function logError(message: u64): void;
@external("extism:host/env", "http_request")
export declare function httpRequest(request: u64, body: u64): u64;
@external("extism:host/env", "http_status_code")
export declare function httpStatusCode(): i32;
