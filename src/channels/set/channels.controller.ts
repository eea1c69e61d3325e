import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import { jsonBody, knownQuery } from '../../platform/http/index.js';
import { Answers } from '../../query/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { ChangedChannel, Channel, ChannelList, DELIVERY_STATES, DeliveryPage, Replayed, Tried } from './answers.js';
import { ChannelsService, type Writer } from './channels.service.js';
import { CHANNEL_EXAMPLES, REPLAY_EXAMPLES, ROTATE_EXAMPLES } from './examples.js';
import { CHANNEL_NAME, ChannelInput, ReplayInput, RotateInput } from './inputs.js';

const plain = (schema: TSchema) => JSON.parse(JSON.stringify(schema)) as object;
const Named = () => ApiParam({ name: 'name', schema: CHANNEL_NAME, description: 'name of the channel' });
const Refused = () => ApiResponse({ status: 400, description: 'invalid-request (problem+json)' });
const Unknown = () =>
  ApiResponse({ status: 404, description: 'not-found: there is no channel of this name (problem+json)' });

@ApiTags('channels')
@Controller('v1/channels')
@RequireRole('admin')
export class ChannelsController {
  readonly #channels: ChannelsService;

  constructor(@Inject(ChannelsService) channels: ChannelsService) {
    this.#channels = channels;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Where findings are pushed',
    description: 'Channels are as they are now, so the question takes no `as_of`. No answer holds a secret.',
  })
  @ApiOkResponse({ schema: plain(ChannelList) })
  list(@CurrentCaller() caller: Writer, @Query(knownQuery()) _query: unknown): Promise<ChannelList> {
    return this.#channels.list(caller);
  }

  @Get(':name')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'One channel',
    description: 'The channel is as it is now, so the question takes no `as_of`.',
  })
  @Named()
  @ApiOkResponse({ schema: plain(Channel) })
  @Unknown()
  one(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query(knownQuery()) _query: unknown,
  ): Promise<Channel> {
    return this.#channels.one(caller, name);
  }

  @Put(':name')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Create or change a channel',
    description:
      'A new channel gets the news that come from then on. Filters that are left out are those of a new channel; members of the kind that are left out, such as the address, stay as they are. A new channel of the kind `webhook` answers its secret.',
  })
  @Named()
  @ApiBody({ schema: plain(ChannelInput), examples: CHANNEL_EXAMPLES })
  @ApiOkResponse({ schema: plain(ChangedChannel) })
  @Refused()
  put(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<ChangedChannel> {
    return this.#channels.put(caller, name, body);
  }

  @Delete(':name')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Remove a channel and its deliveries; the answer is the removed channel' })
  @Named()
  @ApiOkResponse({ schema: plain(Channel) })
  @Unknown()
  remove(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query(knownQuery()) _query: unknown,
  ): Promise<Channel> {
    return this.#channels.remove(caller, name);
  }

  @Post(':name/try')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Send a test finding through a channel, and show the answer of the receiver',
    description:
      'The message goes out once, at once, also if the channel is off. It is no delivery: nothing is recorded or retried.',
  })
  @Named()
  @ApiOkResponse({ schema: plain(Tried) })
  @Unknown()
  try(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query(knownQuery()) _query: unknown,
  ): Promise<Tried> {
    return this.#channels.try(caller, name);
  }

  @Post(':name/rotate')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Give a channel another secret',
    description:
      'Messages carry a signature of each secret that signs. A secret before the one that is replaced ends at once.',
  })
  @Named()
  @ApiBody({ schema: plain(RotateInput), required: false, examples: ROTATE_EXAMPLES })
  @ApiOkResponse({ schema: plain(ChangedChannel) })
  @Refused()
  @Unknown()
  rotate(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<ChangedChannel> {
    return this.#channels.rotate(caller, name, body);
  }

  @Get(':name/deliveries')
  @Answers(
    'Deliveries of a channel, the newest first',
    DeliveryPage,
    ['limit', 'cursor'],
    'A delivery is listed until 30 days after it was done. Deliveries are as they are now, so the question takes no `as_of`.',
  )
  @Named()
  @ApiQuery({
    name: 'state',
    required: false,
    schema: { type: 'string', enum: [...DELIVERY_STATES] },
    description: 'only deliveries in this state',
  })
  deliveries(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query() query: unknown,
  ): Promise<DeliveryPage> {
    return this.#channels.deliveries(caller, name, query);
  }

  @Post(':name/replay')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Send deliveries of a channel again',
    description: 'Each gets all its attempts anew, the first at once, under the same id.',
  })
  @Named()
  @ApiBody({ schema: plain(ReplayInput), examples: REPLAY_EXAMPLES })
  @ApiOkResponse({ schema: plain(Replayed) })
  @Refused()
  @Unknown()
  replay(
    @CurrentCaller() caller: Writer,
    @Param('name') name: string,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<Replayed> {
    return this.#channels.replay(caller, name, body);
  }
}
