;; An example plugin of type `datasource`, by hand against the flat ABI: it answers `Select` queries
;; over one table of cities that stands in a data segment below. README.md has the subset.
;;
;; The input is attacker-controlled and read once, from $at to $end; every read of it goes through
;; `peek`, which knows the end. The first failure puts the reader at the end, where everything else
;; fails too, and is answered as {"success":false,"error":…}: nothing here traps.
(module
  (memory (export "memory") 1)

  ;; ---- memory ----
  ;; 0 … 64 scratch: the string read last, decoded;  64 … 384 filters, 80 bytes for each column:
  ;; length (0 = no filter), then the text of the wanted cell;  512 … texts, each ending in a zero
  ;; byte;  4096 … the table;  8192 … what `alloc` gives out.
  (global $SCRATCH_BYTES i32 (i32.const 62))
  (global $FILTERS i32 (i32.const 64))
  (global $FILTER_BYTES i32 (i32.const 80))
  (global $COLUMNS i32 (i32.const 4))
  (global $TABLE i32 (i32.const 4096))
  (global $HEAP i32 (i32.const 8192))
  ;; Enough for all rows, columns and the frame around them, which take about 1 KiB.
  (global $OUTPUT_BYTES i32 (i32.const 4096))
  (global $MAX_DEPTH i32 (i32.const 32))
  (global $MAX_LIMIT i64 (i64.const 1000))
  (global $MAX_OFFSET i64 (i64.const 1000000))

  (data (i32.const 512) "query_type\00")
  (data (i32.const 528) "parameters\00")
  (data (i32.const 544) "limit\00")
  (data (i32.const 552) "offset\00")
  (data (i32.const 560) "query\00")
  (data (i32.const 568) "Select\00")
  (data (i32.const 576) "cities\00")
  (data (i32.const 584) "true\00")
  (data (i32.const 592) "false\00")
  (data (i32.const 600) "null\00")
  ;; Names of the columns, 16 bytes apart.
  (data (i32.const 608) "id\00")
  (data (i32.const 624) "city\00")
  (data (i32.const 640) "country\00")
  (data (i32.const 656) "population\00")

  (data (i32.const 768) "The input is not a JSON object.\00")
  (data (i32.const 832) "Only queries of the type Select are answered.\00")
  (data (i32.const 896) "There is no table of this name.\00")
  (data (i32.const 960) "There is no column of this name.\00")
  (data (i32.const 1024) "A parameter must be text or a whole number.\00")
  (data (i32.const 1088) "The limit must be a whole number from 0 to 1000.\00")
  (data (i32.const 1152) "The offset must be a whole number from 0 to 1000000.\00")
  (data (i32.const 1216) "{\22success\22:false,\22error\22:\22There is no memory for the answer.\22}\00")
  (data (i32.const 1280) "{\22success\22:false,\22error\22:\22\00")
  (data (i32.const 1312) "\22}\00")

  (data (i32.const 1344) "{\22rows\22:[\00")
  (data (i32.const 1360) "{\22values\22:[\00")
  (data (i32.const 1376) "],\22metadata\22:{}}\00")
  (data (i32.const 1400) "],\22columns\22:["
    "{\22name\22:\22id\22,\22data_type\22:\22Integer\22,\22nullable\22:false,\22metadata\22:{}},"
    "{\22name\22:\22city\22,\22data_type\22:\22Text\22,\22nullable\22:false,\22metadata\22:{}},"
    "{\22name\22:\22country\22,\22data_type\22:\22Text\22,\22nullable\22:false,\22metadata\22:{}},"
    "{\22name\22:\22population\22,\22data_type\22:\22Integer\22,\22nullable\22:false,\22metadata\22:{}}"
    "],\22total_count\22:\00")
  (data (i32.const 1792) ",\22execution_time_ms\22:0,\22metadata\22:{}}\00")

  ;; Four cells to a row, each a length and a JSON text without escapes; a length of 0 ends the table.
  (data (i32.const 4096)
    "\01" "1" "\07" "\22Tokyo\22" "\07" "\22Japan\22" "\08" "37115035"
    "\01" "2" "\07" "\22Delhi\22" "\07" "\22India\22" "\08" "33807403"
    "\01" "3" "\0a" "\22Shanghai\22" "\07" "\22China\22" "\08" "29867918"
    "\01" "4" "\07" "\22Dhaka\22" "\0c" "\22Bangladesh\22" "\08" "23935652"
    "\01" "5" "\0c" "\22S\c3\a3o Paulo\22" "\08" "\22Brazil\22" "\08" "22806704"
    "\01" "6" "\07" "\22Cairo\22" "\07" "\22Egypt\22" "\08" "22623874"
    "\01" "7" "\0d" "\22Mexico City\22" "\08" "\22Mexico\22" "\08" "22505315"
    "\01" "8" "\09" "\22Beijing\22" "\07" "\22China\22" "\08" "22189082"
    "\01" "9" "\08" "\22Mumbai\22" "\07" "\22India\22" "\08" "21673149"
    "\02" "10" "\07" "\22Osaka\22" "\07" "\22Japan\22" "\08" "18967459"
    "\00")

  (global $live (mut i32) (i32.const 0))
  (global $top (mut i32) (i32.const 8192))
  (global $at (mut i32) (i32.const 0))
  (global $end (mut i32) (i32.const 0))
  ;; The message of the first failure, or 0.
  (global $error (mut i32) (i32.const 0))
  ;; Bytes of the string read last; only the first $SCRATCH_BYTES are kept.
  (global $length (mut i32) (i32.const 0))
  (global $limit (mut i64) (i64.const 0))
  (global $offset (mut i64) (i64.const 0))
  (global $out (mut i32) (i32.const 0))

  ;; ---- the flat ABI ----

  ;; Blocks one after another, all given back when the last one is: a call has two. 0 = no memory.
  (func $alloc (export "alloc") (param $size i32) (result i32)
    (local $from i32) (local $to i64) (local $pages i32)
    (local.set $from (global.get $top))
    (local.set $to
      (i64.and
        (i64.add
          (i64.add (i64.extend_i32_u (local.get $from)) (i64.extend_i32_u (local.get $size)))
          (i64.const 7))
        (i64.const -8)))
    (if (i64.gt_u (local.get $to) (i64.const 0xffff0000)) (then (return (i32.const 0))))
    (local.set $pages
      (i32.sub
        (i32.wrap_i64 (i64.shr_u (i64.add (local.get $to) (i64.const 65535)) (i64.const 16)))
        (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then
        (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1))
          (then (return (i32.const 0))))))
    (global.set $top (i32.wrap_i64 (local.get $to)))
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (local.get $from))

  (func (export "dealloc") (param $from i32) (param $size i32)
    (if (i32.lt_u (local.get $from) (global.get $HEAP)) (then (return)))
    (if (i32.eqz (global.get $live)) (then (return)))
    (global.set $live (i32.sub (global.get $live) (i32.const 1)))
    (if (i32.eqz (global.get $live)) (then (global.set $top (global.get $HEAP)))))

  (func (export "query_datasource") (param $from i32) (param $size i32) (result i32 i32)
    (local $output i32)
    (global.set $error (i32.const 0))
    (global.set $limit (global.get $MAX_LIMIT))
    (global.set $offset (i64.const 0))
    (memory.fill (global.get $FILTERS) (i32.const 0) (i32.const 320))
    (global.set $at (local.get $from))
    (global.set $end (i32.add (local.get $from) (local.get $size)))
    ;; Whatever the caller gave as a range: nothing outside the memory is read.
    (if (i64.gt_u
          (i64.add (i64.extend_i32_u (local.get $from)) (i64.extend_i32_u (local.get $size)))
          (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
      (then (call $fail (i32.const 768)))
      (else (call $read_query)))

    (local.set $output (call $alloc (global.get $OUTPUT_BYTES)))
    (if (i32.eqz (local.get $output))
      (then (return (i32.const 1216) (call $text_length (i32.const 1216)))))
    (global.set $out (local.get $output))
    (if (global.get $error)
      (then
        (call $emit (i32.const 1280))
        (call $emit (global.get $error))
        (call $emit (i32.const 1312)))
      (else (call $write_result)))
    (local.get $output)
    (i32.sub (global.get $out) (local.get $output)))

  ;; ---- the query ----

  (func $read_query
    (local $seen i32) (local $field i32)
    (call $expect (i32.const 0x7b))
    (call $skip_space)
    (block $done
      (if (i32.eq (call $peek) (i32.const 0x7d)) (then (call $step) (br $done)))
      (loop $member
        (call $read_name)
        (local.set $field (call $read_field))
        ;; A field that comes twice could be read in two ways.
        (if (i32.and (local.get $seen) (local.get $field)) (then (call $fail (i32.const 768))))
        (local.set $seen (i32.or (local.get $seen) (local.get $field)))
        (br_if $member (call $more (i32.const 0x7d)))))
    (call $skip_space)
    (if (i32.ne (global.get $at) (global.get $end)) (then (call $fail (i32.const 768))))
    (if (i32.eqz (i32.and (local.get $seen) (i32.const 1))) (then (call $fail (i32.const 832)))))

  ;; Reads the value of the member whose name is in the scratch; answers a bit for each known name.
  (func $read_field (result i32)
    (if (call $is (i32.const 512))
      (then
        (call $skip_space)
        (call $read_string)
        (if (i32.eqz (call $is (i32.const 568))) (then (call $fail (i32.const 832))))
        (return (i32.const 1))))
    (if (call $is (i32.const 528)) (then (call $read_filters) (return (i32.const 2))))
    (if (call $is (i32.const 544))
      (then
        (global.set $limit
          (call $read_bounded (global.get $MAX_LIMIT) (global.get $MAX_LIMIT) (i32.const 1088)))
        (return (i32.const 4))))
    (if (call $is (i32.const 552))
      (then
        (global.set $offset
          (call $read_bounded (i64.const 0) (global.get $MAX_OFFSET) (i32.const 1152)))
        (return (i32.const 8))))
    (if (call $is (i32.const 560)) (then (call $read_table_name) (return (i32.const 16))))
    (call $skip_value (i32.const 1))
    (i32.const 0))

  ;; `query` names the table; empty, it is the only one.
  (func $read_table_name
    (if (call $is_null) (then (return)))
    (if (i32.ne (call $peek) (i32.const 0x22))
      (then (call $fail (i32.const 896)) (return)))
    (call $read_string)
    (if (i32.eqz (global.get $length)) (then (return)))
    (if (i32.eqz (call $is (i32.const 576))) (then (call $fail (i32.const 896)))))

  ;; A whole number from 0 to $most; null is $otherwise.
  (func $read_bounded (param $otherwise i64) (param $most i64) (param $message i32) (result i64)
    (local $value i64) (local $from i32)
    (if (call $is_null) (then (return (local.get $otherwise))))
    (local.set $from (global.get $at))
    ;; At most seven digits and nothing else of a number.
    (loop $digit
      (if (call $is_digit (call $peek))
        (then
          (local.set $value
            (i64.add
              (i64.mul (local.get $value) (i64.const 10))
              (i64.extend_i32_u (i32.sub (call $peek) (i32.const 0x30)))))
          (call $step)
          (br_if $digit
            (i32.lt_u (i32.sub (global.get $at) (local.get $from)) (i32.const 7))))))
    (global.set $at (local.get $from))
    (if (i32.or
          (i32.eqz (call $skip_number))
          (i64.gt_u (local.get $value) (local.get $most)))
      (then (call $fail (local.get $message)) (return (i64.const 0))))
    (if (i32.or
          (i32.gt_u (i32.sub (global.get $at) (local.get $from)) (i32.const 7))
          (i32.eq (i32.load8_u (local.get $from)) (i32.const 0x2d)))
      (then (call $fail (local.get $message)) (return (i64.const 0))))
    (local.get $value))

  ;; `parameters`: a column and the value that its cells must have, for each member.
  (func $read_filters
    (local $filter i32)
    (if (call $is_null) (then (return)))
    (call $expect (i32.const 0x7b))
    (call $skip_space)
    (if (i32.eq (call $peek) (i32.const 0x7d)) (then (call $step) (return)))
    (loop $member
      (call $read_name)
      (local.set $filter (call $filter_of_column))
      (if (local.get $filter)
        (then
          (if (i32.load (local.get $filter)) (then (call $fail (i32.const 768))))
          (call $read_wanted (local.get $filter)))
        (else (call $fail (i32.const 960))))
      (br_if $member (call $more (i32.const 0x7d)))))

  ;; The filter of the column whose name is in the scratch, or 0.
  (func $filter_of_column (result i32)
    (local $column i32)
    (loop $next
      (if (call $is
            (i32.add (i32.const 608) (i32.shl (local.get $column) (i32.const 4))))
        (then
          (return
            (i32.add
              (global.get $FILTERS)
              (i32.mul (local.get $column) (global.get $FILTER_BYTES))))))
      (local.set $column (i32.add (local.get $column) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $column) (global.get $COLUMNS))))
    (i32.const 0))

  ;; Reads a wanted value as the text that an equal cell has. What is longer than any cell keeps its
  ;; length, and so equals none.
  (func $read_wanted (param $filter i32)
    (local $from i32) (local $size i32)
    (call $skip_space)
    (if (i32.eq (call $peek) (i32.const 0x22))
      (then
        (call $read_string)
        (i32.store8 offset=4 (local.get $filter) (i32.const 0x22))
        (memory.copy
          (i32.add (local.get $filter) (i32.const 5))
          (i32.const 0)
          (global.get $SCRATCH_BYTES))
        (if (i32.le_u (global.get $length) (global.get $SCRATCH_BYTES))
          (then
            (i32.store8 offset=5
              (i32.add (local.get $filter) (global.get $length))
              (i32.const 0x22))))
        (i32.store (local.get $filter) (i32.add (global.get $length) (i32.const 2)))
        (return)))
    (local.set $from (global.get $at))
    (if (i32.eqz (call $skip_number)) (then (call $fail (i32.const 1024)) (return)))
    (local.set $size (i32.sub (global.get $at) (local.get $from)))
    (i32.store (local.get $filter) (local.get $size))
    (if (i32.gt_u (local.get $size) (global.get $SCRATCH_BYTES)) (then (return)))
    (memory.copy
      (i32.add (local.get $filter) (i32.const 4))
      (local.get $from)
      (local.get $size)))

  ;; ---- the answer ----

  (func $write_result
    (local $row i32) (local $matches i64) (local $written i64)
    (call $emit (i32.const 1344))
    (local.set $row (global.get $TABLE))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load8_u (local.get $row))))
        (if (call $row_matches (local.get $row))
          (then
            (if (i32.and
                  (i64.ge_u (local.get $matches) (global.get $offset))
                  (i64.lt_u (local.get $written) (global.get $limit)))
              (then
                (if (i64.ne (local.get $written) (i64.const 0))
                  (then (call $emit_byte (i32.const 0x2c))))
                (call $write_row (local.get $row))
                (local.set $written (i64.add (local.get $written) (i64.const 1)))))
            (local.set $matches (i64.add (local.get $matches) (i64.const 1)))))
        (local.set $row (call $row_after (local.get $row)))
        (br $next)))
    (call $emit (i32.const 1400))
    (call $emit_number (i32.wrap_i64 (local.get $matches)))
    (call $emit (i32.const 1792)))

  (func $row_matches (param $cell i32) (result i32)
    (local $filter i32) (local $size i32)
    (local.set $filter (global.get $FILTERS))
    (loop $next
      (local.set $size (i32.load8_u (local.get $cell)))
      (if (i32.load (local.get $filter))
        (then
          (if (i32.ne (i32.load (local.get $filter)) (local.get $size))
            (then (return (i32.const 0))))
          (if (i32.eqz
                (call $equal
                  (i32.add (local.get $cell) (i32.const 1))
                  (i32.add (local.get $filter) (i32.const 4))
                  (local.get $size)))
            (then (return (i32.const 0))))))
      (local.set $cell (i32.add (i32.add (local.get $cell) (local.get $size)) (i32.const 1)))
      (local.set $filter (i32.add (local.get $filter) (global.get $FILTER_BYTES)))
      (br_if $next (i32.lt_u (local.get $filter) (i32.const 384))))
    (i32.const 1))

  (func $row_after (param $cell i32) (result i32)
    (local $column i32)
    (loop $next
      (local.set $cell
        (i32.add (i32.add (local.get $cell) (i32.load8_u (local.get $cell))) (i32.const 1)))
      (local.set $column (i32.add (local.get $column) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $column) (global.get $COLUMNS))))
    (local.get $cell))

  (func $write_row (param $cell i32)
    (local $column i32) (local $size i32)
    (call $emit (i32.const 1360))
    (loop $next
      (if (local.get $column) (then (call $emit_byte (i32.const 0x2c))))
      (local.set $size (i32.load8_u (local.get $cell)))
      (memory.copy
        (global.get $out)
        (i32.add (local.get $cell) (i32.const 1))
        (local.get $size))
      (global.set $out (i32.add (global.get $out) (local.get $size)))
      (local.set $cell (i32.add (i32.add (local.get $cell) (local.get $size)) (i32.const 1)))
      (local.set $column (i32.add (local.get $column) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $column) (global.get $COLUMNS))))
    (call $emit (i32.const 1376)))

  (func $emit_byte (param $byte i32)
    (i32.store8 (global.get $out) (local.get $byte))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))

  (func $emit (param $text i32)
    (local $size i32)
    (local.set $size (call $text_length (local.get $text)))
    (memory.copy (global.get $out) (local.get $text) (local.get $size))
    (global.set $out (i32.add (global.get $out) (local.get $size))))

  (func $emit_number (param $value i32)
    (if (i32.ge_u (local.get $value) (i32.const 10))
      (then (call $emit_number (i32.div_u (local.get $value) (i32.const 10)))))
    (call $emit_byte
      (i32.add (i32.const 0x30) (i32.rem_u (local.get $value) (i32.const 10)))))

  (func $text_length (param $text i32) (result i32)
    (local $size i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load8_u (i32.add (local.get $text) (local.get $size)))))
        (local.set $size (i32.add (local.get $size) (i32.const 1)))
        (br $next)))
    (local.get $size))

  (func $equal (param $left i32) (param $right i32) (param $size i32) (result i32)
    (loop $next
      (if (i32.eqz (local.get $size)) (then (return (i32.const 1))))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br_if $next
        (i32.eq
          (i32.load8_u (i32.add (local.get $left) (local.get $size)))
          (i32.load8_u (i32.add (local.get $right) (local.get $size))))))
    (i32.const 0))

  ;; ---- JSON (RFC 8259) ----

  (func $fail (param $message i32)
    (if (i32.eqz (global.get $error)) (then (global.set $error (local.get $message))))
    (global.set $at (global.get $end)))

  ;; The next byte, or -1 at the end.
  (func $peek (result i32)
    (if (i32.ge_u (global.get $at) (global.get $end)) (then (return (i32.const -1))))
    (i32.load8_u (global.get $at)))

  (func $step
    (if (i32.lt_u (global.get $at) (global.get $end))
      (then (global.set $at (i32.add (global.get $at) (i32.const 1))))))

  (func $skip_space
    (local $byte i32)
    (loop $next
      (local.set $byte (call $peek))
      (if (i32.or
            (i32.or
              (i32.eq (local.get $byte) (i32.const 0x20))
              (i32.eq (local.get $byte) (i32.const 0x0a)))
            (i32.or
              (i32.eq (local.get $byte) (i32.const 0x0d))
              (i32.eq (local.get $byte) (i32.const 0x09))))
        (then (call $step) (br $next)))))

  (func $expect (param $byte i32)
    (call $skip_space)
    (if (i32.eq (call $peek) (local.get $byte))
      (then (call $step))
      (else (call $fail (i32.const 768)))))

  ;; After an item: 1 for a comma, 0 at the closing byte or after a failure.
  (func $more (param $close i32) (result i32)
    (call $skip_space)
    (if (i32.eq (call $peek) (i32.const 0x2c)) (then (call $step) (return (i32.const 1))))
    (call $expect (local.get $close))
    (i32.const 0))

  ;; A member's name, into the scratch, and the colon behind it.
  (func $read_name
    (call $skip_space)
    (call $read_string)
    (call $expect (i32.const 0x3a)))

  ;; Whether null comes next; then it is read.
  (func $is_null (result i32)
    (call $skip_space)
    (if (i32.ne (call $peek) (i32.const 0x6e)) (then (return (i32.const 0))))
    (call $skip_word (i32.const 600))
    (i32.const 1))

  ;; Whether the string read last is this text.
  (func $is (param $text i32) (result i32)
    (if (i32.ne (global.get $length) (call $text_length (local.get $text)))
      (then (return (i32.const 0))))
    (call $equal (i32.const 0) (local.get $text) (global.get $length)))

  (func $skip_value (param $depth i32)
    (local $byte i32)
    (if (i32.gt_u (local.get $depth) (global.get $MAX_DEPTH))
      (then (call $fail (i32.const 768)) (return)))
    (call $skip_space)
    (local.set $byte (call $peek))
    (if (i32.eq (local.get $byte) (i32.const 0x22)) (then (call $read_string) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x74)) (then (call $skip_word (i32.const 584)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x66)) (then (call $skip_word (i32.const 592)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x6e)) (then (call $skip_word (i32.const 600)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x7b))
      (then (call $skip_items (local.get $depth) (i32.const 0x7d)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x5b))
      (then (call $skip_items (local.get $depth) (i32.const 0x5d)) (return)))
    (drop (call $skip_number)))

  ;; The items of an array, or the members of an object when it closes with a brace.
  (func $skip_items (param $depth i32) (param $close i32)
    (call $step)
    (call $skip_space)
    (if (i32.eq (call $peek) (local.get $close)) (then (call $step) (return)))
    (loop $item
      (if (i32.eq (local.get $close) (i32.const 0x7d)) (then (call $read_name)))
      (call $skip_value (i32.add (local.get $depth) (i32.const 1)))
      (br_if $item (call $more (local.get $close)))))

  (func $skip_word (param $word i32)
    (loop $next
      (if (i32.eqz (i32.load8_u (local.get $word))) (then (return)))
      (if (i32.ne (call $peek) (i32.load8_u (local.get $word)))
        (then (call $fail (i32.const 768)) (return)))
      (call $step)
      (local.set $word (i32.add (local.get $word) (i32.const 1)))
      (br $next)))

  ;; Reads a number; 1 if it is written as a whole one.
  (func $skip_number (result i32)
    (local $whole i32) (local $first i32)
    (local.set $whole (i32.const 1))
    (if (i32.eq (call $peek) (i32.const 0x2d)) (then (call $step)))
    (local.set $first (call $peek))
    (if (i32.and
          (i32.gt_u (call $skip_digits) (i32.const 1))
          (i32.eq (local.get $first) (i32.const 0x30)))
      (then (call $fail (i32.const 768))))
    (if (i32.eq (call $peek) (i32.const 0x2e))
      (then (local.set $whole (i32.const 0)) (call $step) (drop (call $skip_digits))))
    (if (i32.eq (i32.or (call $peek) (i32.const 0x20)) (i32.const 0x65))
      (then
        (local.set $whole (i32.const 0))
        (call $step)
        (if (i32.or
              (i32.eq (call $peek) (i32.const 0x2b))
              (i32.eq (call $peek) (i32.const 0x2d)))
          (then (call $step)))
        (drop (call $skip_digits))))
    (local.get $whole))

  ;; At least one digit; answers how many.
  (func $skip_digits (result i32)
    (local $count i32)
    (loop $next
      (if (call $is_digit (call $peek))
        (then
          (call $step)
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br $next))))
    (if (i32.eqz (local.get $count)) (then (call $fail (i32.const 768))))
    (local.get $count))

  (func $is_digit (param $byte i32) (result i32)
    (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10)))

  ;; Decodes a string into the scratch.
  (func $read_string
    (local $byte i32)
    (global.set $length (i32.const 0))
    (if (i32.ne (call $peek) (i32.const 0x22)) (then (call $fail (i32.const 768)) (return)))
    (call $step)
    (loop $next
      (local.set $byte (call $peek))
      ;; Signed: the end is -1.
      (if (i32.lt_s (local.get $byte) (i32.const 0x20))
        (then (call $fail (i32.const 768)) (return)))
      (call $step)
      (if (i32.eq (local.get $byte) (i32.const 0x22)) (then (return)))
      (if (i32.eq (local.get $byte) (i32.const 0x5c))
        (then (call $read_escape))
        (else (call $put (local.get $byte))))
      (br $next)))

  (func $put (param $byte i32)
    (if (i32.lt_u (global.get $length) (global.get $SCRATCH_BYTES))
      (then (i32.store8 (global.get $length) (local.get $byte))))
    (global.set $length (i32.add (global.get $length) (i32.const 1))))

  (func $read_escape
    (local $byte i32)
    (local.set $byte (call $peek))
    (call $step)
    (if (i32.eq (local.get $byte) (i32.const 0x75)) (then (call $read_unicode) (return)))
    (if (i32.or
          (i32.eq (local.get $byte) (i32.const 0x22))
          (i32.or
            (i32.eq (local.get $byte) (i32.const 0x5c))
            (i32.eq (local.get $byte) (i32.const 0x2f))))
      (then (call $put (local.get $byte)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x62)) (then (call $put (i32.const 8)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x66)) (then (call $put (i32.const 12)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x6e)) (then (call $put (i32.const 10)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x72)) (then (call $put (i32.const 13)) (return)))
    (if (i32.eq (local.get $byte) (i32.const 0x74)) (then (call $put (i32.const 9)) (return)))
    (call $fail (i32.const 768)))

  ;; \uXXXX, or two of them for a surrogate pair; a surrogate alone is none.
  (func $read_unicode
    (local $code i32) (local $low i32)
    (local.set $code (call $four_hex))
    (if (i32.eq (i32.and (local.get $code) (i32.const 0xf800)) (i32.const 0xd800))
      (then
        (if (i32.ge_u (local.get $code) (i32.const 0xdc00))
          (then (call $fail (i32.const 768)) (return)))
        (call $expect_here (i32.const 0x5c))
        (call $expect_here (i32.const 0x75))
        (local.set $low (call $four_hex))
        (if (i32.ne (i32.and (local.get $low) (i32.const 0xfc00)) (i32.const 0xdc00))
          (then (call $fail (i32.const 768)) (return)))
        (local.set $code
          (i32.add
            (i32.const 0x10000)
            (i32.or
              (i32.shl (i32.and (local.get $code) (i32.const 0x3ff)) (i32.const 10))
              (i32.and (local.get $low) (i32.const 0x3ff)))))))
    (call $put_code (local.get $code)))

  (func $expect_here (param $byte i32)
    (if (i32.eq (call $peek) (local.get $byte))
      (then (call $step))
      (else (call $fail (i32.const 768)))))

  (func $four_hex (result i32)
    (local $code i32) (local $digit i32) (local $byte i32) (local $count i32)
    (loop $next
      (local.set $byte (call $peek))
      (local.set $digit (i32.sub (local.get $byte) (i32.const 0x30)))
      (if (i32.gt_u (local.get $digit) (i32.const 9))
        (then
          (local.set $digit
            (i32.sub (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x57)))
          (if (i32.gt_u (i32.sub (local.get $digit) (i32.const 10)) (i32.const 5))
            (then (call $fail (i32.const 768)) (return (i32.const 0))))))
      (call $step)
      (local.set $code (i32.or (i32.shl (local.get $code) (i32.const 4)) (local.get $digit)))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $count) (i32.const 4))))
    (local.get $code))

  ;; One code point as UTF-8.
  (func $put_code (param $code i32)
    (if (i32.lt_u (local.get $code) (i32.const 0x80))
      (then (call $put (local.get $code)) (return)))
    (if (i32.lt_u (local.get $code) (i32.const 0x800))
      (then
        (call $put (i32.or (i32.const 0xc0) (i32.shr_u (local.get $code) (i32.const 6)))))
      (else
        (if (i32.lt_u (local.get $code) (i32.const 0x10000))
          (then
            (call $put (i32.or (i32.const 0xe0) (i32.shr_u (local.get $code) (i32.const 12)))))
          (else
            (call $put (i32.or (i32.const 0xf0) (i32.shr_u (local.get $code) (i32.const 18))))
            (call $put_tail (i32.shr_u (local.get $code) (i32.const 12)))))
        (call $put_tail (i32.shr_u (local.get $code) (i32.const 6)))))
    (call $put_tail (local.get $code)))

  (func $put_tail (param $bits i32)
    (call $put (i32.or (i32.const 0x80) (i32.and (local.get $bits) (i32.const 0x3f)))))
)
