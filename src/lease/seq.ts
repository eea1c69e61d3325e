/** Position of a record in the control log, from 1, dense, in commit order. */
export type Seq = bigint & { readonly __brand: 'Seq' };
