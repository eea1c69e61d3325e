import {
  Inject,
  Module,
  RequestMethod,
  type DynamicModule,
  type MiddlewareConsumer,
  type NestModule,
} from '@nestjs/common';
import type { Door } from './post/door.js';
import { IntakeController } from './post/intake.controller.js';
import type { Intake } from './post/intake.js';
import type { Publication } from './post/published.pg.js';
import { DOOR, INTAKE, OPERATOR, PARTITIONS, PUBLICATION, REPLAY, type IsOperator } from './ingest-tokens.js';
import { PartitionsController } from './kafka/partitions.controller.js';
import type { Partitions } from './kafka/partitions.js';
import { QuarantineController } from './quarantine/quarantine.controller.js';
import type { Replay } from './quarantine/quarantine-replay.pg.js';

export interface IngestParts {
  readonly intake: Intake;
  readonly door: Door;
  readonly publication: Publication;
  readonly replay: Replay;
  /** Undefined if there is no Kafka. */
  readonly partitions: Partitions | undefined;
  readonly isOperator: IsOperator;
}

/** Serves `POST /events` and an operator's actions on quarantine and partitions. Needs `RegistryModule`, which authenticates callers. */
@Module({})
export class IngestModule implements NestModule {
  readonly #door: Door;

  constructor(@Inject(DOOR) door: Door) {
    this.#door = door;
  }

  static with({ intake, door, publication, replay, partitions, isOperator }: IngestParts): DynamicModule {
    return {
      module: IngestModule,
      controllers: [IntakeController, QuarantineController, ...(partitions ? [PartitionsController] : [])],
      providers: [
        { provide: INTAKE, useValue: intake },
        { provide: DOOR, useValue: door },
        { provide: PUBLICATION, useValue: publication },
        { provide: REPLAY, useValue: replay },
        { provide: OPERATOR, useValue: isOperator },
        ...(partitions ? [{ provide: PARTITIONS, useValue: partitions }] : []),
      ],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(this.#door.enter).forRoutes({ path: 'events', method: RequestMethod.POST });
  }
}
