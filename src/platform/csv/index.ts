export { csvLine } from './csv-line.js';
