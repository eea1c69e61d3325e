export { createRestraint, TooManyWaiting, type Restraint, type RestraintLimits } from './restraint.js';
export { createPace } from './pace.js';
