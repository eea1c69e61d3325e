export { runDemo, type DemoFile, type DemoOptions, type DemoOutput, type DemoTokens } from './demo/index.js';
export type { AppName, ClientName, UserName } from './organisation.js';
export { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.js';
export { createIdp, type Connection, type Idp, type IdpClient, type IdpOptions, type IdpUser } from './idp/index.js';
export { createResourceApp, type ApiRoute, type ResourceApp, type ResourceAppOptions } from './resource-app/index.js';
export {
  createBrowser,
  createClientApp,
  type Browser,
  type ClientApp,
  type ClientAppOptions,
} from './client-app/index.js';
export type { EventPublisher, PublishOptions } from './event-publisher.js';
export { createKafkaPublisher, type KafkaPublisherOptions } from './publisher-kafka.js';
export { createHttpPublisher, type HttpPublisherOptions } from './publisher-http.js';
export { bindLoopback, type BoundServer } from './http-server.js';
export { createSigningKey, type SigningKey } from './signing-key.js';
export { isRecorded } from './recorded-token.js';
export { createRescindAdmin, RescindRefused, type RescindAdmin } from './rescind-admin.js';
