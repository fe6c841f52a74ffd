/**
 * @module Every bound of this package. A manifest is attacker-controlled, so each loop, list and
 * text that it fills has one. Numbers are generous against real manifests (a few kilobytes) and
 * small against the host.
 */

/** Bytes of a plugin.yaml: function schemas may make it long; 256 KiB parse in well under a second. */
export const MAX_MANIFEST_BYTES = 262_144;
/** Nested maps and lists: the YAML composer recurses, and JSON inputs are bounded to the same depth. */
export const MAX_DEPTH = 64;
/** Keys and values in all, each entry of a map or list counted once more. */
export const MAX_NODES = 30_000;
/** Marks, words, spaces and line breaks: some texts make the parser work hard for each one. */
export const MAX_LEXEMES = 100_000;
/** Problems listed before the rest is only mentioned: enough for one sitting, bounded for logs. */
export const MAX_PROBLEMS = 100;
/** Characters of `name` and `author`. */
export const MAX_NAME_CHARACTERS = 128;
/** Characters of `description`, as the upstream system has it. */
export const MAX_DESCRIPTION_CHARACTERS = 1_000;
/** Linked modules of one plugin. */
export const MAX_MODULES = 32;
/** Characters of a module's name. */
export const MAX_MODULE_NAME_CHARACTERS = 64;
/** Characters of a path in the package or in the guest: far below PATH_MAX (4,096). */
export const MAX_PATH_CHARACTERS = 1_024;
/** Characters between two slashes: NAME_MAX of common file systems is 255 bytes. */
export const MAX_PATH_SEGMENT_CHARACTERS = 255;
/** Host patterns of one plugin. */
export const MAX_ALLOWED_HOSTS = 256;
/** Methods, ports, path prefixes, pins and secrets each of one plugin. */
export const MAX_NETWORK_LIST_ENTRIES = 64;
/** Guest paths of one plugin. */
export const MAX_ALLOWED_PATHS = 256;
/** Characters of a host name (RFC 1035 section 2.3.4: 255 octets on the wire, 253 as text). */
export const MAX_HOST_CHARACTERS = 253;
/** Functions that a manifest may describe. */
export const MAX_FUNCTIONS = 256;
/** Dependencies of one plugin. */
export const MAX_DEPENDENCIES = 256;
/** Characters of a version range: semver itself refuses more than 256. */
export const MAX_RANGE_CHARACTERS = 128;
/** Manifests in one resolution: a host holds hundreds, not tens of thousands. */
export const MAX_RESOLVED_PLUGINS = 10_000;
/** References followed from one schema into another: a chain longer than this is not written by people. */
export const MAX_SCHEMA_REF_DEPTH = 16;
/** Subschemas once every reference is written out: bounds the work for each checked value. */
export const MAX_SCHEMA_EXPANSION = 10_000;
/** Ways to match an anchored pattern without unbounded repetition: milliseconds at worst. */
export const MAX_PATTERN_WAYS = 65_536;
/** Ways to match from each of many starts or lengths: these multiply with the length of the text. */
export const MAX_PATTERN_WAYS_PER_START = 64;
/** Characters of a pattern. */
export const MAX_PATTERN_CHARACTERS = 512;
/** `maxItems` that `uniqueItems` needs: comparing all pairs is quadratic. */
export const MAX_UNIQUE_ITEMS = 1_000;
