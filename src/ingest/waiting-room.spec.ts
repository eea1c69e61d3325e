import { describe, expect, it } from '@jest/globals';
import { createWaitingRoom, type WaitingRoom } from './waiting-room.js';

const BOUNDS = { events: 100, bytes: 1_000 };
const one = { events: 1, bytes: 1 };

/** Whether it lets a fetch in at once. */
async function hasRoom(room: WaitingRoom): Promise<boolean> {
  let open = false;
  void room.roomForKafka().then(() => (open = true));
  await Promise.resolve();
  await Promise.resolve();
  return open;
}

describe('what waits to be written', () => {
  it('a flood from Kafka waits in Kafka, and leaves HTTP its room', async () => {
    const room = createWaitingRoom(BOUNDS);
    for (let n = 0; n < 50; n++) {
      expect(await hasRoom(room)).toBe(true);
      expect(room.enter('kafka', one)).toBe(true);
    }
    expect(await hasRoom(room)).toBe(false);
    // Fetched before: it is here already.
    expect(room.enter('kafka', { events: 500, bytes: 900 })).toBe(true);
    for (let n = 0; n < 100; n++) expect(room.enter('http', one)).toBe(true);
    expect(room.enter('http', one)).toBe(false);
    expect(room.events).toBe(650);
  });

  it('a flood from HTTP leaves Kafka its room', async () => {
    const room = createWaitingRoom(BOUNDS);
    while (room.enter('http', one));
    expect(await hasRoom(room)).toBe(true);
  });

  it('who waits comes in when enough has left', async () => {
    const room = createWaitingRoom(BOUNDS);
    room.enter('kafka', { events: 51, bytes: 1 });
    let open = false;
    const waiting = room.roomForKafka().then(() => (open = true));
    room.leave('kafka', one);
    await Promise.resolve();
    expect(open).toBe(false);
    room.leave('kafka', one);
    await waiting;
  });

  it('bytes count like events', async () => {
    const room = createWaitingRoom(BOUNDS);
    room.enter('kafka', { events: 1, bytes: 500 });
    expect(await hasRoom(room)).toBe(false);
    expect(room.enter('http', { events: 1, bytes: 1_000 })).toBe(true);
    expect(room.enter('http', one)).toBe(false);
  });

  it('what is larger than the room comes in alone', () => {
    const room = createWaitingRoom(BOUNDS);
    const large = { events: 200, bytes: 5_000 };
    expect(room.enter('http', large)).toBe(true);
    expect(room.enter('http', one)).toBe(false);
    room.leave('http', large);
    expect(room.enter('http', one)).toBe(true);
  });

  it('closed, it keeps nobody waiting', async () => {
    const room = createWaitingRoom(BOUNDS);
    room.enter('kafka', { events: 100, bytes: 1 });
    const waiting = room.roomForKafka();
    room.close();
    await waiting;
    expect(await hasRoom(room)).toBe(true);
  });
});
