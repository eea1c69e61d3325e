export { ConsoleModule } from './files/console.module.js';
