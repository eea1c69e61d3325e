export default async function stopServices(): Promise<void> {
  await globalThis.rescindTestServices?.stop();
}
