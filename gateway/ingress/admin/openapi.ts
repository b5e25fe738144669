/** The OpenAPI document of the admin API, from the same table the routes are made of. */
import { z } from 'zod';
import type { AdminRoute } from './route.ts';

type Json = { [key: string]: unknown };

/** OpenAPI 3.1; its schemas are JSON Schema 2020-12. */
export function openApiDocument(routes: readonly AdminRoute[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Countersign administration', version },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a token of a configured issuer.' },
      },
    },
  };
}

function operation(route: AdminRoute): Json {
  const body = route.body === undefined ? {} : { requestBody: { required: true, content: content(route.body) } };
  return {
    operationId: `${route.method} ${route.path}`.toLowerCase().replaceAll(/[^a-z]+/g, '_'),
    summary: route.summary,
    description: `Decided by policy at \`admin.${route.verb}\`.`,
    parameters: parameters(route),
    ...body,
    responses: Object.fromEntries(
      Object.entries(route.answers).map(([status, description]) => [status, { description }]),
    ),
  };
}

function parameters(route: AdminRoute): Json[] {
  const list: Json[] = [
    { name: 'tenant', in: 'query', required: false, schema: { type: 'string' }, description: 'Tenant it is about.' },
  ];
  if (route.id !== undefined) {
    list.unshift({ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: route.id.source } });
  }
  if (route.query === undefined) return list;
  const schema: Json = z.toJSONSchema(route.query, { io: 'input' });
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  for (const [name, member] of Object.entries(schema['properties'] ?? {})) {
    list.push({ name, in: 'query', required: required.includes(name), schema: member });
  }
  return list;
}

function content(schema: z.ZodType): Json {
  return { 'application/json': { schema: z.toJSONSchema(schema, { io: 'input' }) } };
}
