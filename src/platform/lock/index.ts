export { lockFile } from './file-lock.js';
