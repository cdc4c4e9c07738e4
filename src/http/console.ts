import cookie from "@fastify/cookie";
import files from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { mayCall, presentedKey } from "./authentication.ts";
import { Problem, sendProblem } from "./problem.ts";
import { addPageHeaders } from "./security-headers.ts";
import type { Console } from "./server-deps.ts";
import type { App, OperatorServices } from "./services.ts";

/** What a session gives. */
export interface ConsoleSession {
  /** Path of the page of the queues; null where there is none. */
  readonly jobsBoard: string | null;
}

const base = "/console";
const boardPath = `${base}/jobs`;
const cookieName = "proximal_key";
const hidden = { hide: true } as never;

const self = ["'self'"];
/** Nothing on these pages comes from elsewhere, and nothing of them is written into the markup. */
const directives = {
  "default-src": ["'none'"],
  ...{ "script-src": self, "style-src": self, "img-src": self, "font-src": self, "connect-src": self },
  ...{ "base-uri": ["'none'"], "form-action": ["'none'"], "frame-ancestors": ["'none'"] },
};
/** The page of the queues has a base, sets styles in its markup, and its icons are data. The fonts it would fetch from elsewhere are kept out. */
const boardDirectives = {
  ...directives,
  ...{
    "base-uri": self,
    "style-src": [...self, "'unsafe-inline'"],
    "img-src": [...self, "data:"],
    "font-src": [...self, "data:"],
  },
};
/** /console: the pages for operators, teachers and learners. They ask the same API as everyone, with a key of their user. */
export async function addConsole(app: App, services: OperatorServices, console: Console): Promise<void> {
  app.get(base, { schema: hidden }, (_request, reply) => reply.redirect(`${base}/`, 308));
  const { folder, jobsBoard } = console;
  await app.register((pages, _options, done) => {
    addPageHeaders(pages, { useDefaults: false, directives });
    if (folder === null) pages.get(`${base}/*`, { schema: hidden }, refuseUnbuilt);
    else pages.register(files, { root: folder, prefix: `${base}/`, cacheControl: false, setHeaders });
    done();
  });
  await app.register((sessions, _options, done) => {
    sessions.register(cookie);
    addSession(sessions, services, jobsBoard !== null);
    done();
  });
  if (jobsBoard === null) return;
  await app.register((board, _options, done) => {
    // Cookies are read before they are looked at.
    board.register(cookie).after(() => void board.addHook("onRequest", operatorsOnly(services)));
    addPageHeaders(board, { useDefaults: false, directives: boardDirectives });
    board.register(jobsBoard(boardPath), { prefix: boardPath });
    done();
  });
}

/** Names of assets hold a hash of what is in them; the page itself names them and has to be asked for again. */
function setHeaders(reply: Pick<FastifyReply, "header">, path: string): void {
  const asset = /[\\/]assets[\\/]/.test(path);
  reply.header("cache-control", asset ? "public, max-age=31536000, immutable" : "no-cache");
}

function refuseUnbuilt(): never {
  const detail =
    "The console is not built here. Run `npm run build:console`, or start with `npm start`, and ask again.";
  throw new Problem("not_found", { detail });
}

/**
 * The page of the queues is loaded by the browser itself, which sends no header with a key: for this path alone the key
 * goes into a cookie that no script can read and no other site can have sent.
 */
function addSession(app: FastifyInstance, { deps }: OperatorServices, hasBoard: boolean): void {
  const options = { httpOnly: true, sameSite: "strict", path: boardPath } as const;
  app.post(
    `${base}/session`,
    { config: { scopes: ["operator"] }, schema: hidden },
    async (request, reply): Promise<ConsoleSession> => {
      const key = presentedKey(request.headers);
      if (!hasBoard || key === null) return { jobsBoard: null };
      reply.setCookie(cookieName, key, { ...options, secure: request.protocol === "https" });
      deps.log.debug({ keyId: request.caller?.keyId }, "an operator looks at the queues");
      return { jobsBoard: `${boardPath}/` };
    },
  );
  app.delete(`${base}/session`, { schema: hidden }, (_request, reply) =>
    reply.clearCookie(cookieName, options).code(204).send(),
  );
}

function operatorsOnly({ authenticator }: OperatorServices) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const key = request.cookies[cookieName];
    const caller = key === undefined ? null : await authenticator.verify(key);
    if (caller !== null && mayCall(caller, ["operator"])) return;
    const detail = "Open this page from the console, with an operator's key.";
    await sendProblem(reply, new Problem(caller === null ? "unauthenticated" : "forbidden", { detail }));
  };
}
