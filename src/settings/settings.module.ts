import { Module, type DynamicModule } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { poolConfig, type Pool } from '../platform/postgres/index.js';
import { DetectionChangesModule } from './detection-changes/detection-changes.module.js';
import { StoredDetectionChange } from './detection-changes/stored-detection-change.entity.js';
import { DirectoryModule } from './directory/directory.module.js';
import { StoredEntry } from './directory/stored-entry.entity.js';
import { FindingChangesModule } from './finding-changes/finding-changes.module.js';
import { StoredChange } from './finding-changes/stored-change.entity.js';
import { SETTING_FACTS, type SettingFacts } from './setting-facts.js';

/** Entities of all settings, listed by hand: `schema.sql` makes their tables. */
export const SETTING_ENTITIES = [StoredEntry, StoredDetectionChange, StoredChange];

/** Connections to PostgreSQL: administrators change settings now and then. */
const MAX_CONNECTIONS = 2;

const WATCHED_POOL = Symbol('rescind.settings-pool');

export interface SettingsParts extends SettingFacts {
  /** URL of the database. */
  readonly url: string;
  /** Called for the log if an idle connection is lost. */
  readonly onIdleError?: (error: Error) => void;
  /** Entities of modules that keep their settings by this data source; the composition names them. */
  readonly entities?: readonly (new () => object)[];
  /** Measures the connections. */
  readonly watchPool?: (name: string, pool: Pool) => void;
}

/** Serves what administrators set under `/v1`. Needs `RegistryModule`, which identifies the caller. */
@Module({})
export class SettingsModule {
  static with({ url, onIdleError, watchPool, tenantKey, now, entities = [] }: SettingsParts): DynamicModule {
    const facts: SettingFacts = { tenantKey, now };
    return {
      module: SettingsModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            type: 'postgres',
            url,
            entities: [...SETTING_ENTITIES, ...entities],
            synchronize: false,
            installExtensions: false,
            logging: false,
            poolErrorHandler: onIdleError ?? (() => undefined),
            extra: poolConfig({ max: MAX_CONNECTIONS, applicationName: 'rescind-settings' }),
            // The process has reached its database before it makes this module.
            toRetry: () => false,
          }),
        }),
        DirectoryModule,
        FindingChangesModule,
        DetectionChangesModule,
      ],
      providers: [
        { provide: SETTING_FACTS, useValue: facts },
        {
          provide: WATCHED_POOL,
          inject: [getDataSourceToken()],
          useFactory: ({ driver }: { readonly driver: { readonly master: Pool } }) =>
            watchPool?.('settings', driver.master),
        },
      ],
      exports: [SETTING_FACTS, DetectionChangesModule, FindingChangesModule],
    };
  }
}
