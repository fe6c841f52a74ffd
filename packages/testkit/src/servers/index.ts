/** @module The door to loopback servers and their certificate authority. */
export { startHttpServer, startTlsServer } from "./loopback-server.ts";
export type { LoopbackServer, LoopbackTlsServer, TlsServerOptions } from "./loopback-server.ts";
export { createTestAuthority } from "./test-authority.ts";
export type {
  CertificateKind,
  CertificateRequest,
  IssuedCertificate,
  TestAuthority,
} from "./test-authority.ts";
