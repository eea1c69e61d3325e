export { runDemo, type DemoOptions } from './run-demo.js';
export type { DemoFile, DemoTokens } from './demo-file.js';
export type { DemoOutput } from './printer.js';
