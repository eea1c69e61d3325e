import { Body, Controller, Delete, Header, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RescindError } from '../../contracts/index.js';
import { jsonBody, mediaTypeOf } from '../../platform/http/index.js';
import { DirectoryEntry } from '../../query/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { ImportAnswer } from './answers.js';
import { DirectoryService, type Writer } from './directory.service.js';
import { CSV_MEDIA_TYPE, DIRECTORY_COLUMNS, MAX_ENTRIES } from './import-file.js';
import { ENTRY, NAME, OF_TEAM, OWNED } from './rows.js';
import { SCIM_USER } from './scim-user.js';

const JSON_MEDIA_TYPE = 'application/json';
const FOR_PEOPLE = 'The directory is for people to read: nothing about a token is decided by it.';
const SENSITIVE =
  'The detections read two tags: at a resource with the tag `sensitive` every action is sensitive; with `not-sensitive` none is, not even deletions, exports and administration.';

const plain = (schema: unknown): object => JSON.parse(JSON.stringify(schema)) as object;
const iss = { name: 'iss', required: true, schema: NAME, description: 'issuer that uses this name' };
const tenant = {
  name: 'tenant',
  required: false,
  schema: NAME,
  description: 'tenant claim, if the issuer states one',
};
const text = { type: 'string' as const };
const IMPORT_BODY = {
  required: true,
  content: {
    [CSV_MEDIA_TYPE]: {
      schema: { ...text, title: 'DirectoryCsv' },
      example: `${DIRECTORY_COLUMNS.join(',')}\nclient,https://idp.example,,wiki,Wiki,,,,ann@example.com,docs,\nresource,,,https://wiki.example,The wiki,,,,,docs,sensitive\n`,
    },
    [JSON_MEDIA_TYPE]: {
      schema: {
        type: 'array' as const,
        title: 'DirectoryImport',
        maxItems: MAX_ENTRIES,
        items: ENTRY as object,
      },
    },
  },
};
const named = (name: string, description: string) => ApiParam({ name, schema: NAME, description });

@ApiTags('directory')
@Controller('v1')
export class DirectoryController {
  readonly #directory: DirectoryService;

  constructor(@Inject(DirectoryService) directory: DirectoryService) {
    this.#directory = directory;
  }

  @Put('directory/users/:sub')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Put a user’s names: a SCIM User (RFC 7643, section 4.1)',
    description: `userName, displayName (or name.formatted), emails and active are kept, and \`team\` and \`tags\`, which are no attributes of SCIM. ${FOR_PEOPLE}`,
  })
  @named('sub', 'the user’s `sub` at the issuer')
  @ApiQuery(iss)
  @ApiQuery(tenant)
  @ApiBody({ schema: SCIM_USER as object })
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  putUser(
    @CurrentCaller() caller: Writer,
    @Param('sub') sub: string,
    @Query() query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.put(caller, 'user', sub, query, body);
  }

  @Put('directory/clients/:client_id')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Put a client’s name, owner, team and tags', description: FOR_PEOPLE })
  @named('client_id', 'the client’s `client_id` at the issuer')
  @ApiQuery(iss)
  @ApiBody({ schema: OWNED as object })
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  putClient(
    @CurrentCaller() caller: Writer,
    @Param('client_id') id: string,
    @Query() query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.put(caller, 'client', id, query, body);
  }

  @Put('directory/agents/:id')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Put an agent’s name, owner, team and tags', description: FOR_PEOPLE })
  @named('id', 'the agent’s id at the issuer')
  @ApiQuery(iss)
  @ApiBody({ schema: OWNED as object })
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  putAgent(
    @CurrentCaller() caller: Writer,
    @Param('id') id: string,
    @Query() query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.put(caller, 'agent', id, query, body);
  }

  @Put('directory/resources/:uri')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Put a resource’s name, owner, team and tags', description: `${FOR_PEOPLE} ${SENSITIVE}` })
  @named('uri', 'the resource’s URI, as tokens name it in `aud`')
  @ApiBody({ schema: OWNED as object })
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  putResource(
    @CurrentCaller() caller: Writer,
    @Param('uri') uri: string,
    @Query() query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.put(caller, 'resource', uri, query, body);
  }

  @Put('directory/teams/:name')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Put a team’s name, owner and tags',
    description: `${FOR_PEOPLE} Entries that name the team have its tags too.`,
  })
  @named('name', 'the team’s name, as `team` of other entries has it')
  @ApiBody({ schema: OF_TEAM as object })
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  putTeam(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query() query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.put(caller, 'team', name, query, body);
  }

  @Delete('directory/users/:sub')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Delete a user’s entry; the answer is the deleted entry' })
  @named('sub', 'the user’s `sub` at the issuer')
  @ApiQuery(iss)
  @ApiQuery(tenant)
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  removeUser(
    @CurrentCaller() caller: Writer,
    @Param('sub') id: string,
    @Query() query: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.remove(caller, 'user', id, query);
  }

  @Delete('directory/clients/:client_id')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Delete a client’s entry; the answer is the deleted entry' })
  @named('client_id', 'the client’s `client_id` at the issuer')
  @ApiQuery(iss)
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  removeClient(
    @CurrentCaller() caller: Writer,
    @Param('client_id') id: string,
    @Query() query: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.remove(caller, 'client', id, query);
  }

  @Delete('directory/agents/:id')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Delete an agent’s entry; the answer is the deleted entry' })
  @named('id', 'the agent’s id at the issuer')
  @ApiQuery(iss)
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  removeAgent(
    @CurrentCaller() caller: Writer,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.remove(caller, 'agent', id, query);
  }

  @Delete('directory/resources/:uri')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Delete a resource’s entry; the answer is the deleted entry' })
  @named('uri', 'the resource’s URI, as tokens name it in `aud`')
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  removeResource(
    @CurrentCaller() caller: Writer,
    @Param('uri') uri: string,
    @Query() query: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.remove(caller, 'resource', uri, query);
  }

  @Delete('directory/teams/:name')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Delete a team’s entry; the answer is the deleted entry' })
  @named('name', 'the team’s name, as `team` of other entries has it')
  @ApiOkResponse({ schema: plain(DirectoryEntry) })
  removeTeam(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query() query: unknown,
  ): Promise<DirectoryEntry> {
    return this.#directory.remove(caller, 'team', name, query);
  }

  @Post('directory/import')
  @HttpCode(200)
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Put many entries at once, from a CSV file or a JSON list',
    description: `All entries are stored, or none: a refusal lists the faults by line (\`lines\`). Sending the same file again changes nothing. Entries that the file does not name stay. ${FOR_PEOPLE}`,
    requestBody: IMPORT_BODY,
  })
  @ApiOkResponse({ schema: plain(ImportAnswer) })
  @ApiResponse({
    status: 400,
    description: 'invalid-request, with `lines`: [{line, detail}], and `faults`: the number of faults (problem+json)',
  })
  importFile(@CurrentCaller() caller: Writer, @Query() query: unknown, @Body() body: unknown): Promise<ImportAnswer> {
    if (Object.keys((query ?? {}) as object).length > 0)
      throw new RescindError('invalid-request', { detail: 'the import takes no parameters' });
    const mediaType = body instanceof Uint8Array ? mediaTypeOf(body) : undefined;
    if (!(body instanceof Uint8Array) || (mediaType !== CSV_MEDIA_TYPE && mediaType !== JSON_MEDIA_TYPE)) {
      throw new RescindError('unsupported-media-type', { detail: `send ${CSV_MEDIA_TYPE} or ${JSON_MEDIA_TYPE}` });
    }
    return this.#directory.importFile(caller, body, mediaType);
  }
}
