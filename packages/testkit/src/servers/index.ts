/** @module The door to servers on this machine, and their certificate authority. */
export { startHttpServer, startTlsServer } from "./loopback-server.ts";
export type { LoopbackServer, LoopbackTlsServer, TlsServerOptions } from "./loopback-server.ts";
export { POSTGRES_BIN, startPostgresServer } from "./postgres-server.ts";
export type { PostgresServer } from "./postgres-server.ts";
export { createTestAuthority } from "./test-authority.ts";
export type {
  CertificateKind,
  CertificateRequest,
  IssuedCertificate,
  TestAuthority,
} from "./test-authority.ts";
