export { makeDirectories, syncDirectory, syncFile } from './durable.js';
