import { Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { AccessController } from './access/access.controller.js';
import { addCommonResponses } from './documents/common-responses.js';
import { ChangesController } from './changes/changes.controller.js';
import { CoverageController } from './coverage/coverage.controller.js';
import { DirectoryController } from './directory/directory.controller.js';
import { DocumentsController, type OpenApiSlot } from './documents/documents.controller.js';
import { readExamples } from './documents/examples.js';
import { moveNamedSchemas } from './named-schemas.js';
import { PROTOCOL_PATHS } from './documents/protocol-paths.js';
import { EntitiesController } from './entities/entities.controller.js';
import { EvidenceController } from './evidence/evidence.controller.js';
import { ExportController } from './export/export.controller.js';
import { GraphController } from './graph/graph.controller.js';
import { MatrixController } from './matrix/matrix.controller.js';
import { QuestionsController } from './lists/questions.controller.js';
import { ReachController } from './reach/reach.controller.js';
import { ReportsController } from './reports/reports.controller.js';
import { SearchController } from './search/search.controller.js';
import { TimelineController } from './timeline/timeline.controller.js';
import type { Questions } from './questions.pg.js';
import { OPEN_API, QUESTIONS } from './ask/query-tokens.js';

type OpenApiSchemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/**
 * Serves the questions under `/v1`, `/schemas/…` and `/openapi.json`. Needs `RegistryModule`, which identifies the
 * caller.
 */
@Module({})
export class QueryModule {
  static with({ questions }: { readonly questions: Questions }): DynamicModule {
    const slot: OpenApiSlot = {};
    return {
      module: QueryModule,
      controllers: [
        QuestionsController,
        GraphController,
        MatrixController,
        ChangesController,
        AccessController,
        CoverageController,
        DirectoryController,
        EntitiesController,
        EvidenceController,
        ExportController,
        ReachController,
        ReportsController,
        SearchController,
        TimelineController,
        DocumentsController,
      ],
      providers: [
        { provide: QUESTIONS, useValue: questions },
        { provide: OPEN_API, useValue: slot },
      ],
    };
  }
}

/**
 * Writes the OpenAPI document of the whole application. Call it once, after the application is created and before it
 * listens.
 */
export function describeApi(app: INestApplication, { version }: { readonly version: string }): void {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Rescind')
    .setDescription(
      'Errors of /v1 are RFC 9457 problem+json with a stable `code`. Protocol endpoints use their standard’s errors.',
    )
    .setVersion(version)
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'opaque', description: 'the key of a caller, `rsk_…`' },
      'bearer',
    )
    .addBasicAuth(
      { type: 'http', scheme: 'basic', description: 'id and key of a caller (client_secret_basic)' },
      'basic',
    )
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '').toLowerCase()}-${method}`,
  });
  addExamples(document);
  const paths = { ...(structuredClone(PROTOCOL_PATHS) as unknown as OpenAPIObject['paths']), ...document.paths };
  addCommonResponses(paths);
  const { paths: named, schemas } = moveNamedSchemas(paths);
  app.get<OpenApiSlot>(OPEN_API).document = {
    ...document,
    paths: named,
    components: {
      ...document.components,
      schemas: { ...document.components?.schemas, ...(schemas as OpenApiSchemas) },
    },
  };
}

function addExamples({ paths }: OpenAPIObject): void {
  for (const [path, { asked, answer }] of Object.entries(readExamples())) {
    const response = paths[path]?.get?.responses['200'];
    const content = response && 'content' in response ? response.content?.['application/json'] : undefined;
    if (content) content.examples = { seeded: { summary: `GET ${asked}`, value: answer } };
  }
}
