/** What the clients send: whole HTTP/1.1 requests, made before the clock starts, the same bytes for the system and for its reference. */

import type { Person } from "./tracker.ts";
import { newTask } from "./tracker.ts";

export const loadNames = ["get", "list", "create", "patch", "mixed"] as const;
/** `list-new`: each request is another list, so that no page of an earlier one serves it. */
export type LoadName = (typeof loadNames)[number] | "list-new";

/** Between two requests in a load's file. */
export const separator = "\0";

/** Requests of each load unless told; a client sends them in this order, over and over. */
const requestsEach = 1_000;

export function load(name: LoadName, url: string, { token, taskIds }: Person, requests = requestsEach): string {
  const request = (method: string, path: string, body?: object): string => {
    const text = body === undefined ? "" : JSON.stringify(body);
    const described =
      body === undefined ? "" : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
    return `${method} ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: Bearer ${token}\r\n${described}\r\n${text}`;
  };
  const pathOf = (each: number) => `/v1/tasks/${taskIds[each % taskIds.length]}`;
  const make: Record<LoadName, (each: number) => string> = {
    get: (each) => request("GET", pathOf(each)),
    list: () => request("GET", "/v1/tasks"),
    // All tasks were changed since.
    "list-new": (each) => request("GET", `/v1/tasks?updatedAfter=${new Date(Date.UTC(2020) + each).toISOString()}`),
    create: (each) => request("POST", "/v1/tasks", newTask(each)),
    // Another title each time that it comes to the same task: an unchanged task would cost less.
    patch: (each) =>
      request("PATCH", pathOf(each), {
        title: `Read what was agreed in meeting ${each}`,
        status: each % 2 === 0 ? "in_progress" : "todo",
      }),
    mixed: (each) => make[mixedKind(each)](each),
  };
  return Array.from({ length: requests }, (_, each) => make[name](each)).join(separator);
}

/** 80 % get, 10 % list, 5 % create, 5 % patch, evenly spread. */
function mixedKind(each: number): "get" | "list" | "create" | "patch" {
  const place = each % 20;
  if (place === 3 || place === 13) return "list";
  if (place === 8) return "create";
  return place === 18 ? "patch" : "get";
}
