import { readAskedTime, secondsOf, type AskedTime } from '../../contracts/index.js';
import { inconsistent, type Parameters } from './parameters.js';

/** A window as it was asked for. Its durations count back from the moment that the answer is about, so that all pages have one window. */
export interface AskedWindow {
  readonly from: AskedTime | undefined;
  readonly to: AskedTime | undefined;
}

/** A half-open window of time, epoch seconds: from ≤ time < to. */
export interface Window {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

export function readTimeAsked(parameters: Parameters, name: string): AskedTime | undefined {
  const text = parameters.get(name);
  return text === undefined ? undefined : readAskedTime(name, text);
}

export const readWindow = (parameters: Parameters): AskedWindow => ({
  from: readTimeAsked(parameters, 'from'),
  to: readTimeAsked(parameters, 'to'),
});

/** Returns the window as of `at`, epoch seconds. Throws `inconsistent-request` for an empty one. */
export function windowAt({ from, to }: AskedWindow, at: number, read = secondsOf): Window {
  const window = { from: from && read('from', from, at), to: to && read('to', to, at) };
  if (window.from !== undefined && window.to !== undefined && window.from >= window.to)
    throw inconsistent('`from` must be earlier than `to`');
  return window;
}
