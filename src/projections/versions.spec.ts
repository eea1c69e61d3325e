import { describe, expect, it } from '@jest/globals';
import { foldVersions, type Change, type Version } from './versions.js';

const grow = (key: string, ix: bigint, scope: string): Change<string> => ({
  key,
  ix,
  evolve: (before) => (before?.split(' ').includes(scope) ? before : [before, scope].filter(Boolean).join(' ')),
});
const openVersion = (key: string, from: bigint, state: string): ReadonlyMap<string, Version<string>> =>
  new Map([[key, { key, from, to: undefined, state }]]);

describe('foldVersions', () => {
  it('opens the first version of a key', () => {
    expect(foldVersions(new Map(), [grow('a', 3n, 'read')])).toEqual({
      closed: [],
      opened: [{ key: 'a', from: 3n, to: undefined, state: 'read' }],
    });
  });

  it('leaves no version where nothing changes', () => {
    expect(foldVersions(openVersion('a', 1n, 'read'), [grow('a', 3n, 'read')])).toEqual({ closed: [], opened: [] });
  });

  it('closes the open version at the index that changed it', () => {
    expect(foldVersions(openVersion('a', 1n, 'read'), [grow('a', 3n, 'write')])).toEqual({
      closed: [{ key: 'a', from: 1n, to: 3n, state: 'read' }],
      opened: [{ key: 'a', from: 3n, to: undefined, state: 'read write' }],
    });
  });

  it('keeps every version that begins and ends inside one batch, in index order whatever the order given', () => {
    const { opened } = foldVersions(new Map(), [grow('a', 9n, 'admin'), grow('a', 4n, 'read'), grow('a', 7n, 'write')]);
    expect(opened).toEqual([
      { key: 'a', from: 4n, to: 7n, state: 'read' },
      { key: 'a', from: 7n, to: 9n, state: 'read write' },
      { key: 'a', from: 9n, to: undefined, state: 'read write admin' },
    ]);
  });

  it('gives two changes of one event one version', () => {
    expect(foldVersions(new Map(), [grow('a', 4n, 'read'), grow('a', 4n, 'write')]).opened).toEqual([
      { key: 'a', from: 4n, to: undefined, state: 'read write' },
    ]);
  });
});
