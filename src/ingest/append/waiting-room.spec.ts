import { describe, expect, it } from '@jest/globals';
import { createWaitingRoom, type WaitingRoom } from './waiting-room.js';

const BOUNDS = { events: 100, bytes: 1_000 };
const one = { events: 1, bytes: 1 };

/** Whether the room lets a fetch in at once. */
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
      expect(room.enter('kafka', one, 'topic')).toBe(true);
    }
    expect(await hasRoom(room)).toBe(false);
    // Already fetched, so it must be taken.
    expect(room.enter('kafka', { events: 500, bytes: 900 }, 'topic')).toBe(true);
    for (let n = 0; n < 100; n++) expect(room.enter('http', one, n % 2 ? 'ann' : 'ben')).toBe(true);
    expect(room.enter('http', one, 'cay')).toBe(false);
    expect(room.events).toBe(650);
  });

  it('a flood from HTTP leaves Kafka its room', async () => {
    const room = createWaitingRoom(BOUNDS);
    while (room.enter('http', one, 'ann') || room.enter('http', one, 'ben'));
    expect(await hasRoom(room)).toBe(true);
  });

  it('who waits comes in when enough has left', async () => {
    const room = createWaitingRoom(BOUNDS);
    room.enter('kafka', { events: 51, bytes: 1 }, 'topic');
    let open = false;
    const waiting = room.roomForKafka().then(() => (open = true));
    room.leave('kafka', one, 'topic');
    await Promise.resolve();
    expect(open).toBe(false);
    room.leave('kafka', one, 'topic');
    await waiting;
  });

  it('bytes count like events', async () => {
    const room = createWaitingRoom(BOUNDS);
    room.enter('kafka', { events: 1, bytes: 500 }, 'topic');
    expect(await hasRoom(room)).toBe(false);
    expect(room.enter('http', { events: 1, bytes: 1_000 }, 'ann')).toBe(true);
    expect(room.enter('http', one, 'ben')).toBe(false);
  });

  it('what is larger than the room comes in alone', () => {
    const room = createWaitingRoom(BOUNDS);
    const large = { events: 200, bytes: 5_000 };
    expect(room.enter('http', large, 'ann')).toBe(true);
    expect(room.enter('http', one, 'ben')).toBe(false);
    room.leave('http', large, 'ann');
    expect(room.enter('http', one, 'ben')).toBe(true);
  });

  it('closed, it keeps nobody waiting', async () => {
    const room = createWaitingRoom(BOUNDS);
    room.enter('kafka', { events: 100, bytes: 1 }, 'topic');
    const waiting = room.roomForKafka();
    room.close();
    await waiting;
    expect(await hasRoom(room)).toBe(true);
  });

  it('one speaker takes half of the room of HTTP, and another finds the rest', () => {
    const room = createWaitingRoom(BOUNDS);
    for (let n = 0; n < 50; n++) expect(room.enter('http', one, 'loud')).toBe(true);
    expect(room.enter('http', one, 'loud')).toBe(false);
    for (let n = 0; n < 50; n++) expect(room.enter('http', one, 'quiet')).toBe(true);
    room.leave('http', one, 'loud');
    expect(room.enter('http', one, 'loud')).toBe(true);
  });

  it('one speaker takes half of the bytes of HTTP, too', () => {
    const room = createWaitingRoom(BOUNDS);
    expect([
      room.enter('http', { events: 1, bytes: 400 }, 'loud'),
      room.enter('http', { events: 1, bytes: 100 }, 'loud'),
      room.enter('http', one, 'loud'),
    ]).toEqual([true, true, false]);
    expect([
      room.enter('http', { events: 1, bytes: 1 }, 'quiet'),
      room.enter('http', { events: 1, bytes: 499 }, 'quiet'),
    ]).toEqual([true, true]);
    expect(room.enter('http', { events: 0, bytes: 1 }, 'third')).toBe(false);
    room.leave('http', { events: 1, bytes: 100 }, 'loud');
    expect(room.enter('http', { events: 1, bytes: 100 }, 'loud')).toBe(true);
  });

  it('what Kafka brought takes no room of a speaker', () => {
    const room = createWaitingRoom(BOUNDS);
    room.enter('kafka', { events: 60, bytes: 60 }, 'ann');
    for (let n = 0; n < 50; n++) expect(room.enter('http', one, 'ann')).toBe(true);
  });

  it('what must wait again takes its room, also where there is none', () => {
    const room = createWaitingRoom(BOUNDS);
    for (let n = 0; n < 100; n++) room.enter('http', one, n % 2 ? 'ann' : 'ben');
    room.enterAgain({ events: 30, bytes: 30 }, 'ann');
    expect(room.events).toBe(130);
    for (let n = 0; n < 30; n++) room.leave('http', one, 'ben');
    expect(room.enter('http', one, 'ben')).toBe(false);
  });
});
