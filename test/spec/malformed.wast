;; Bytes that are no module: each is refused before anything is made of it.

(module binary "\00asm\01\00\00\00")
(module definition binary "\00asm\01\00\00\00" "\00\01\00")

(assert_malformed (module binary "") "unexpected end")
(assert_malformed (module binary "\00asm") "unexpected end")
(assert_malformed (module binary "\00asm\0d\00\01\00") "unknown binary version")
(assert_malformed (module binary "\00asm\01\00\00\00" "\0e\00") "malformed section id")
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\05\01\60") "length out of bounds")
;; An overlong integer, and one with bits beyond its type.
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\80\80\80\80\80\00") "integer representation too long")
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\ff\ff\ff\ff\1f") "integer too large")
;; Sections out of order, and repeated.
(assert_malformed (module binary "\00asm\01\00\00\00" "\03\01\00" "\01\01\00") "unexpected content after last section")
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\01\00" "\01\01\00") "unexpected content after last section")
;; A count of 2^32-1.
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\05\ff\ff\ff\ff\0f") "unexpected end")
;; A body that says it is longer, one that says it is shorter, and code behind its end.
(assert_malformed
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0a\04\01\09\00\0b")
  "unexpected end")
(assert_malformed
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0a\05\01\02\00\01\0b")
  "section size mismatch")
(assert_malformed
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0a\05\01\03\00\0b\01")
  "end opcode expected")
;; A name that is not UTF-8.
(assert_malformed (module binary "\00asm\01\00\00\00" "\00\02\01\ff") "malformed UTF-8 encoding")
;; More functions than bodies, and data that is not announced.
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00") "inconsistent lengths")
(assert_malformed
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0a\07\01\05\00\fc\09\00\0b")
  "data count section required")
(assert_malformed (module quote "(func (i32.const 0x100000000) (drop))") "constant out of range")
