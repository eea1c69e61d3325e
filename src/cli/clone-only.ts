import { UsageError } from './terminal.js';

/** Waits for modules that only a clone of the repository has, and says so if they are missing. */
export async function cloneOnly<T>(modules: Promise<T>): Promise<T> {
  try {
    return await modules;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UsageError(
      '`demo` and `seed` run in a clone of the repository, after `npm install`; the installed package does not carry them',
    );
  }
}
