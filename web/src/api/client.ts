import createClient, { type Middleware } from "openapi-fetch";
import createQueries from "openapi-react-query";
import { once } from "./once";
import { Problem } from "./problem";
import type { components, paths } from "./schema";
import { useSingle } from "./write";

/** The types of the server's answers, by their names in the OpenAPI document. */
export type Schemas = components["schemas"];

/** Turns refusals and lost connections into a `Problem`, and gives each write a key, so that a repeated one is done once. */
const manners: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    }
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) {
      throw await Problem.of(response);
    }
  },
  onError({ request }) {
    return Problem.unreachable(request.method);
  },
};

export const client = createClient<paths>({ baseUrl: "/api/v1", fetch: once });
client.use(manners);

const made = createQueries(client);
// Its types are those of the description, which an arrow cannot repeat.
const useMutation = ((...words: Parameters<typeof made.useMutation>) => useSingle(made.useMutation(...words))) as unknown as typeof made.useMutation;

/** `api.useQuery("get", "/runs", …)` and `api.useMutation("post", …)`; errors are always a `Problem`. */
export const api = { ...made, useMutation };
