import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import { problemPage } from "./problem-page.ts";
import { addPageHeaders } from "./security-headers.ts";
import type { App } from "./services.ts";

const description = `What should this learner do next, and why?

Send an API key as \`Authorization: Bearer pxl_...\` or \`x-api-key\`. Errors are problem details (RFC 9457) with a stable \`code\`;
[the list of codes](/docs/problems). Every answer about a learner says how fresh it is.`;

/** Must be registered before the routes: it collects their schemas. */
export async function collectOpenApi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Proximal", version: "1", description, license: { name: "MIT", identifier: "MIT" } },
      servers: [{ url: "/" }],
      tags: [
        { name: "interactions", description: "What learners did" },
        { name: "queries", description: "Answers for apps" },
        { name: "authors", description: "Items, skills and tracks" },
        { name: "analysts", description: "The log" },
        { name: "operators", description: "How it is doing" },
      ],
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "An API key" },
          apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
    transform: createJsonSchemaTransform({ skipList: [] }),
  });
}

/** /docs: the API described, with a page to try it. These are pages for browsers, so they get all of helmet's headers. */
export async function addDocumentation(app: App): Promise<void> {
  await app.register((pages, _options, done) => {
    addPageHeaders(pages as never, { directives });
    pages.register(swaggerUi, {
      routePrefix: "/docs",
      uiConfig: { persistAuthorization: false, tryItOutEnabled: true, displayRequestDuration: true },
    });
    pages.get("/docs/problems", { schema: { hide: true } as never }, (_request, reply) =>
      reply.type("text/html; charset=utf-8").send(problemPage()),
    );
    done();
  });
}

/** Swagger's page sets styles on elements; nothing runs on it that does not come from here. */
const directives = {
  "style-src": ["'self'", "'unsafe-inline'"],
  "img-src": ["'self'", "data:"],
  "upgrade-insecure-requests": null,
};
