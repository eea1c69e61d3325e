export {
  createAsk,
  type Ask,
  type AskOptions,
  type Early,
  type Prepared,
  type Snapshot,
} from '../../projections/index.js';
