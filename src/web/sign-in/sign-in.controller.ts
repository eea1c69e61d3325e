import { Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RescindError } from '../../contracts/index.js';
import { SIGNED_OUT_PATH, WEB, type Web } from '../web.js';
import type { Redirect } from './sign-in.js';

/** Leads browsers to the identity provider and back. What goes wrong is shown on a page of the console. */
@ApiExcludeController()
@Controller('console')
export class SignInController {
  readonly #web: Web;

  constructor(@Inject(WEB) web: Web) {
    this.#web = web;
  }

  @Get('sign-in')
  signIn(
    @Query('return_to') returnTo: string | undefined,
    @Query('anew') anew: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return lead(reply, () => this.#web.signIn.begin(returnTo, anew === 'true'));
  }

  @Get('callback')
  callback(@Req() { raw }: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return lead(reply, () => this.#web.signIn.complete(raw));
  }

  /** Needs no proof that the console sent it: the worst that another site can do is to sign somebody out, and SameSite keeps it from that. */
  @Post('sign-out')
  async signOut(@Req() { raw }: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const cookie = await this.#web.sessions.end(raw);
    void reply.status(204).header('set-cookie', cookie).header('cache-control', 'no-store').send();
  }
}

async function lead(reply: FastifyReply, where: () => Promise<Redirect>): Promise<void> {
  let redirect: Redirect;
  try {
    redirect = await where();
  } catch (error) {
    if (!(error instanceof RescindError)) throw error;
    redirect = { location: `${SIGNED_OUT_PATH}?problem=${error.code}`, cookies: [] };
  }
  const { location, cookies } = redirect;
  void reply
    .status(303)
    .headers({ location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    .header('set-cookie', cookies)
    .send();
}
