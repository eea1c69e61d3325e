export default async function stopConsole(): Promise<void> {
  await globalThis.rescindConsoleRun?.stop();
}
