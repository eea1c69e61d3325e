import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { QueryFailedError, type Repository } from 'typeorm';
import { RescindError, timeText } from '../../contracts/index.js';
import type { Caller } from '../../control/index.js';
import type { View, ViewList } from './answers.js';
import { invalid, readView } from './inputs.js';
import { StoredView } from './stored-view.entity.js';

/** Views of one owner. */
const MAX_OWN = 100;
/** Views of one tenant. */
const MAX_VIEWS = 2_000;
const UNIQUE_VIOLATION = '23505';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Asker = Pick<Caller, 'id' | 'tenant' | 'roles'>;

/** Keeps views: one's own, and those that others of the tenant share. */
@Injectable()
export class ViewsService {
  readonly #views: Repository<StoredView>;

  constructor(@InjectRepository(StoredView) views: Repository<StoredView>) {
    this.#views = views;
  }

  async list(asker: Asker): Promise<ViewList> {
    const { tenant, id: owner } = asker;
    const stored = await this.#views.find({
      where: [
        { tenant, owner },
        { tenant, shared: true },
      ],
      order: { name: 'ASC', id: 'ASC' },
    });
    return { views: stored.map((view) => viewOf(view, asker)) };
  }

  /** Saves a new view. Requests at the same time may go over the bounds by as many as a caller may send. */
  async create(asker: Asker, body: unknown): Promise<View> {
    const { tenant, id: owner } = asker;
    const input = readView(body);
    if ((await this.#views.countBy({ tenant, owner })) >= MAX_OWN)
      throw invalid(`you have ${MAX_OWN} views, and may have no more: remove one first`);
    if ((await this.#views.countBy({ tenant })) >= MAX_VIEWS)
      throw invalid(`a tenant has at most ${MAX_VIEWS} views: remove one first`);
    const view = { tenant, id: randomUUID(), owner, ...input, ...changedBy(asker) };
    await naming(() => this.#views.insert(view));
    return viewOf(view, asker);
  }

  async change(asker: Asker, id: string, body: unknown): Promise<View> {
    const input = readView(body);
    const before = await this.#changeable(asker, id);
    const view = { ...before, ...input, ...changedBy(asker) };
    await naming(() => this.#views.update({ tenant: asker.tenant, id }, view));
    return viewOf(view, asker);
  }

  async remove(asker: Asker, id: string): Promise<View> {
    const view = await this.#changeable(asker, id);
    await this.#views.delete({ tenant: asker.tenant, id });
    return viewOf(view, asker);
  }

  /** Rejects with `not-found` for a view that the asker does not see, and with `forbidden` for one that others share. */
  async #changeable(asker: Asker, id: string): Promise<StoredView> {
    const view = UUID.test(id) ? await this.#views.findOneBy({ tenant: asker.tenant, id }) : null;
    if (view === null || !(view.shared || view.owner === asker.id))
      throw new RescindError('not-found', { detail: 'you see no view of this id' });
    if (!mayChange(view, asker))
      throw new RescindError('forbidden', { detail: 'a shared view is changed by its owner or an administrator' });
    return view;
  }
}

const mayChange = ({ owner, shared }: StoredView, { id, roles }: Asker): boolean =>
  owner === id || (shared && roles.admin !== undefined);

const changedBy = ({ id }: Asker) => ({ updated_at: Math.floor(Date.now() / 1_000), updated_by: id });

/** Rejects with `already-exists` if the owner has another view of the name. */
async function naming(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (error instanceof QueryFailedError && error.driverError.code === UNIQUE_VIOLATION)
      throw new RescindError('already-exists', { detail: 'the owner has another view of this name' });
    throw error;
  }
}

function viewOf(view: StoredView, asker: Asker): View {
  const { id, name, page, search, shared, owner, updated_at: at, updated_by: by } = view;
  return {
    id,
    name,
    page,
    search,
    shared,
    owner,
    mine: owner === asker.id,
    may_change: mayChange(view, asker),
    updated_at: timeText(at),
    updated_by: by,
  };
}
