import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChannelsController } from './set/channels.controller.js';
import { CHANNEL_FACTS, ChannelsService, type ChannelFacts } from './set/channels.service.js';
import { StoredChannel } from './set/stored-channel.entity.js';

/** Entities that the data source of settings must know. */
export const CHANNEL_ENTITIES = [StoredChannel];

/** Serves `/v1/channels`. Needs `RegistryModule`, which identifies the caller, and the data source of `SettingsModule`. */
@Module({})
export class ChannelsModule {
  static with(facts: ChannelFacts): DynamicModule {
    return {
      module: ChannelsModule,
      imports: [TypeOrmModule.forFeature(CHANNEL_ENTITIES)],
      controllers: [ChannelsController],
      providers: [ChannelsService, { provide: CHANNEL_FACTS, useValue: facts }],
    };
  }
}
