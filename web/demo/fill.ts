/** Fills a space with a believable project: four people, sixty tasks, comments, and a history of moves. Uses the public API alone. */

type Account = { readonly token: string; readonly id: string };
type Send = <Body>(who: Account, method: string, path: string, body?: unknown) => Promise<Body>;
export type Filled = {
  readonly email: string;
  readonly password: string;
  readonly spaceId: string;
  readonly projectId: string;
};

const password = "correct horse battery";
const people = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Mary Jackson"];
const columns = [
  { name: "Backlog", status: "todo" },
  { name: "To do", status: "todo" },
  { name: "In progress", status: "in_progress" },
  { name: "Review", status: "in_progress" },
  { name: "Done", status: "done" },
] as const;
const subjects = [
  "Sign-up form",
  "Billing page",
  "Search",
  "Mobile menu",
  "Password reset",
  "Invoice PDF",
  "Team invitations",
  "Audit log",
  "Dark mode",
  "Onboarding tour",
  "Export to CSV",
  "Status page",
];
const works = ["Design", "Build", "Write tests for", "Fix accessibility of", "Write the guide for"];
const labels = ["design", "frontend", "backend", "quality", "docs"];
const priorities = ["none", "low", "medium", "high", "urgent"];
const remarks = [
  "Looks good to me, one question about the *empty state*.",
  "I tried it on a phone: the button is below the fold.",
  "Merged. **Thank you!**",
  "Could we ship this before Friday?",
];
const dayMs = 86_400_000;

export async function fill(url: string, run = Date.now().toString(36)): Promise<Filled> {
  const send: Send = async (who, method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${who.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`Cannot ${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as never;
  };
  const accounts = await Promise.all(people.map((name) => register(url, name, run)));
  const [ada] = accounts;
  if (ada === undefined) throw new Error("Cannot fill a space without people");
  const { id: spaceId } = await send<{ id: string }>(ada, "POST", "/v1/spaces", { name: "Northwind" });
  for (const other of accounts.slice(1)) {
    const { token } = await send<{ token: string }>(ada, "POST", `/v1/spaces/${spaceId}/invitations`, {
      role: "member",
    });
    await send(other, "POST", "/v1/invitations/accept", { token });
  }
  const projectId = await fillProject({ send, accounts, spaceId });
  return { email: emailOf(people[0] ?? "", run), password, spaceId, projectId };
}

function emailOf(name: string, run: string): string {
  return `${name.split(" ")[0]?.toLowerCase()}.${run}@example.com`;
}

async function register(url: string, name: string, run: string): Promise<Account> {
  const answer = await fetch(`${url}/v1/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: emailOf(name, run), password, name }),
  });
  if (!answer.ok) throw new Error(`Cannot register ${name}: ${answer.status} ${await answer.text()}`);
  const { accessToken, user } = (await answer.json()) as { accessToken: string; user: { id: string } };
  return { token: accessToken, id: user.id };
}

async function fillProject({
  send,
  accounts,
  spaceId,
}: {
  send: Send;
  accounts: readonly Account[];
  spaceId: string;
}): Promise<string> {
  const author = (place: number): Account => accounts[place % accounts.length] as Account;
  const made = columns.map((column) => ({ ...column, id: crypto.randomUUID() }));
  const projectId = crypto.randomUUID();
  const project = {
    name: "Website relaunch",
    color: "#4f46e5",
    columns: made,
    description: "The new site, by the end of the quarter.",
  };
  const at = `/v1/spaces/${spaceId}`;
  await send(author(0), "POST", `${at}/batch`, {
    changes: [{ type: "project", kind: "create", id: projectId, body: project }],
  });
  await send(author(0), "POST", `${at}/projects`, { name: "Hiring", color: "#059669" });
  await send(author(0), "POST", `${at}/projects`, { name: "Office move", color: "#d97706" });
  const tasks = works.flatMap((work, row) =>
    subjects.map((subject, place) =>
      taskOf({ work, subject, row, place, projectId, accounts, column: made[(row * 7 + place * 3) % made.length] }),
    ),
  );
  await send(author(0), "POST", `${at}/batch`, {
    changes: tasks.map(({ id, body }) => ({ type: "task", kind: "create", id, body })),
  });
  for (const [place, { id }] of tasks.entries()) {
    if (place % 3 === 0)
      await send(author(place + 1), "POST", `${at}/comments`, { taskId: id, body: remarks[place % remarks.length] });
    if (place % 5 === 0)
      await send(author(place + 2), "PATCH", `${at}/tasks/${id}`, {
        priority: priorities[(place + 1) % priorities.length],
      });
    if (place % 10 === 0)
      await send(author(place), "POST", `${at}/batch`, {
        changes: ["Agree on the scope", "Ask for a review"].map((title) => ({
          type: "task",
          kind: "create",
          body: { title, parentId: id },
        })),
      });
  }
  return projectId;
}

type Plan = {
  work: string;
  subject: string;
  row: number;
  place: number;
  projectId: string;
  accounts: readonly Account[];
  column: { id: string } | undefined;
};

function taskOf({ work, subject, row, place, projectId, accounts, column }: Plan) {
  const date = new Date(Date.now() + (((place * 5 + row * 3) % 21) - 4) * dayMs).toISOString().slice(0, 10);
  const owner = accounts[(place + row) % accounts.length];
  return {
    id: crypto.randomUUID(),
    body: {
      title: `${work} ${work === "Design" || work === "Build" ? "the " : ""}${subject.toLowerCase()}`,
      description:
        place % 4 === 0
          ? `## Why\n\nPeople ask for it every week.\n\n- [x] agree on the scope\n- [ ] ${work.toLowerCase()} it\n- [ ] tell everybody`
          : "",
      labels: [labels[row] ?? "docs", ...(place % 6 === 0 ? ["launch"] : [])],
      priority: priorities[(place + row * 2) % priorities.length],
      ...(place % 2 === 0 ? { due: { date } } : {}),
      assigneeIds: [...new Set([owner?.id, ...(place % 5 === 0 ? [accounts[0]?.id] : [])])],
      projectId,
      columnId: column?.id,
    },
  };
}
