export {
  createAsk,
  type Ask,
  type AskOptions,
  type Early,
  type Prepared,
  type Snapshot,
  type TableGeneration,
} from '../../projections/index.js';
