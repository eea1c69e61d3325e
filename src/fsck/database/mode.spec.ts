import { describe, expect, it } from '@jest/globals';
import { isModeOf } from './mode.js';

const MODES = ['own', 'binary', 'structured', 'batch', 'ndjson', 'set'];
const typed = (contentType: string) => [['content-type', Buffer.from(contentType)]] as const;

describe('the mode of a payload', () => {
  it.each([
    ['its source is Rescind', true, [], ['own']],
    ['it has attributes of an event', false, [...typed('application/json'), ['ce_id', Buffer.from('1')]], ['binary']],
    [
      'its content type is that of one event',
      false,
      typed('application/cloudevents+json; charset=utf-8'),
      ['structured'],
    ],
    ['its content type is that of several', false, typed('Application/CloudEvents-Batch+json'), ['batch']],
    ['its content type is that of a signed batch', false, typed('application/rescind-batch'), ['batch']],
    ['its content type is that of lines', false, typed('application/x-ndjson'), ['ndjson']],
    ['its content type is that of a SET', false, typed('application/secevent+jwt'), ['set']],
    ['its content type is JSON', false, typed('application/json'), ['structured', 'batch']],
  ] as const)('is told if %s', (_case, isOwn, attributes, expected) => {
    expect(MODES.filter((mode) => isModeOf(mode, isOwn, attributes))).toEqual(expected);
  });
});
