import { describe, expect, it } from '@jest/globals';
import { mediaTypeProblem, readBinaryHeaders } from './http-binary.js';

const read = (...rawHeaders: string[]): [string, string][] | undefined =>
  readBinaryHeaders(rawHeaders)?.map(([name, value]) => [name, value.toString('utf8')]);

describe('readBinaryHeaders', () => {
  it('takes the attributes and the content type, under the names that Kafka gives them', () => {
    expect(
      read(
        'Host',
        'x',
        'CE-Id',
        'e-1',
        'ce-source',
        'urn:a',
        'Content-Type',
        'application/json',
        'Authorization',
        'Bearer x',
      ),
    ).toEqual([
      ['ce_id', 'e-1'],
      ['ce_source', 'urn:a'],
      ['content-type', 'application/json'],
    ]);
  });

  it.each([
    ['no header of an event', ['content-type', 'application/json']],
    [
      'structured mode, whatever headers stand beside it',
      ['ce-id', 'e-1', 'content-type', 'application/cloudevents+json'],
    ],
    ['a batch', ['ce-id', 'e-1', 'Content-Type', 'Application/CloudEvents-Batch+JSON']],
  ])('is undefined for %s', (_what, headers) => expect(read(...headers)).toBeUndefined());

  it('keeps a repeated header twice, for the decision to refuse', () => {
    expect(read('ce-id', 'e-1', 'ce-id', 'e-2')).toEqual([
      ['ce_id', 'e-1'],
      ['ce_id', 'e-2'],
    ]);
  });

  it.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro \u20ac \u{1f600}'],
    ['%e2%82%ac', '\u20ac'],
    ['100%', '100%'],
    ['%zz%2', '%zz%2'],
    ['%2541', '%41'],
    ['"a \\"quoted\\" %41"', 'a "quoted" A'],
    ['"not closed', '"not closed'],
    ['', ''],
  ])('decodes %p once to %p', (value, decoded) => expect(read('ce-subject', value)).toEqual([['ce_subject', decoded]]));
});

describe('mediaTypeProblem', () => {
  it.each([
    ['application/cloudevents+json', {}],
    ['application/cloudevents-batch+json; charset=utf-8', {}],
    ['application/x-ndjson', {}],
    ['application/json', {}],
    ['application/json', { 'ce-id': 'e-1' }],
    ['application/vnd.chat+json', { 'ce-id': 'e-1' }],
  ])('is undefined for %s beside %p', (type, headers) => expect(mediaTypeProblem(type, headers)).toBeUndefined());

  it.each([
    [undefined, {}, 'neither `ce-` headers'],
    ['text/plain', {}, 'neither `ce-` headers'],
    ['application/vnd.chat+json', {}, 'neither `ce-` headers'],
    ['application/cloudevents+xml', {}, 'neither `ce-` headers'],
    [undefined, { 'ce-id': 'e-1' }, 'needs the content type of its data'],
    ['application/avro', { 'ce-id': 'e-1' }, 'needs the content type of its data'],
  ])('says of %s beside %p what is missing', (type, headers, says) =>
    expect(mediaTypeProblem(type, headers)).toContain(says),
  );
});
