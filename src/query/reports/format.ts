import { invalid, type Parameters } from '../ask/parameters.js';

export type Format = 'csv' | 'json';

export function readFormat(parameters: Parameters): Format {
  const text = parameters.get('format') ?? 'json';
  if (text !== 'csv' && text !== 'json') throw invalid('`format` is csv or json');
  return text;
}
