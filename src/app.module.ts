import { Module, type DynamicModule } from '@nestjs/common';
import { ChannelsModule, type ChannelFacts } from './channels/index.js';
import { ErasureModule, type Erasures } from './erasure/index.js';
import { ExploreModule, type Explore } from './explore/index.js';
import { WatchModule, type Watch } from './feeds/index.js';
import { DetectionsModule, FindingsModule, type DetectionsParts, type FindingsParts } from './findings/index.js';
import { IngestModule, type IngestParts } from './ingest/index.js';
import { PlatformModule, type PlatformParts } from './platform/process/index.js';
import { QueryModule, type Questions } from './query/index.js';
import { RegistryModule, type RegistryParts } from './registry/index.js';
import { RevocationModule, type Revocations } from './revocation/index.js';
import { WebModule, type Web } from './web/index.js';
import { SettingsModule, type SettingsParts } from './settings/index.js';

/** Parts that each role serves; undefined for a role that this process does not have. */
export interface AppParts {
  readonly platform: PlatformParts;
  readonly registry: RegistryParts;
  readonly ingest: IngestParts | undefined;
  readonly serving:
    | {
        readonly questions: Questions;
        readonly explore: Explore;
        readonly findings: FindingsParts;
        readonly watch: Watch;
        readonly detections: DetectionsParts;
        readonly revocations: Revocations;
        readonly settings: SettingsParts;
        readonly channels: ChannelFacts;
        readonly erasures: Erasures;
        readonly web: Web;
      }
    | undefined;
}

/** The only list of modules. */
@Module({})
export class AppModule {
  static with({ platform, registry, ingest, serving }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.register(platform),
        RegistryModule.with(registry),
        ...(ingest ? [IngestModule.with(ingest)] : []),
        ...(serving
          ? [
              QueryModule.with(serving),
              ExploreModule.with(serving),
              FindingsModule.with(serving.findings),
              WatchModule.with(serving),
              DetectionsModule.with(serving.detections),
              SettingsModule.with(serving.settings),
              ChannelsModule.with(serving.channels),
              RevocationModule.with(serving),
              ErasureModule.with(serving.erasures),
              WebModule.with(serving),
            ]
          : []),
      ],
    };
  }
}
