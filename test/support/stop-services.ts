import { rmSync } from 'node:fs';

export default async function stopServices(): Promise<void> {
  const services = globalThis.rescindTestServices;
  if (services === undefined) return;
  await Promise.all([services.postgres.stop(), services.kafka.stop()]);
  rmSync(services.directory, { recursive: true, force: true });
}
