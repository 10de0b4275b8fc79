// Plays orders over the generated types: `node play.js URL happy|declined|cancelled`. Prints how each ended.
import createClient from "openapi-fetch";
import type { components, paths } from "./shop_clerk.js";

type Session = components["schemas"]["Session"];
type Problem = components["schemas"]["Problem"];
type Status = Session["status"];
type OpenSession = components["schemas"]["OpenSession"];

// Compiles only while these are what they seem: anything goes into `any`, and nothing out of `unknown`.
type Exactly<T, U> = (<X>() => X extends T ? 1 : 2) extends <X>() => X extends U ? 1 : 2 ? true : false;
type City = Session["shipping_address"]["city"];
type FailureCode = NonNullable<Session["failure"]>["code"];
const typed: [
  Exactly<Session["total"], number>,
  Exactly<Problem["retryable"], boolean>,
  Exactly<City, string | null | undefined>,
  Exactly<string extends FailureCode ? "any text" : "a closed list", "a closed list">,
] = [true, true, true, true];

declare const process: { argv: string[]; exitCode?: number };
const [, , url = "", scene = ""] = process.argv;
const ENDS: Status[] = ["completed", "failed", "canceled", "expired"];
const client = createClient<paths>({ baseUrl: url });

class Failed extends Error {}

function expected<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Failed(answer.error?.code ?? "nothing was answered");
  return answer.data;
}

function refused(answer: { error?: Problem }, code: Problem["code"]): void {
  if (answer.error?.code !== code) throw new Failed(`not refused as ${code}: ${answer.error?.code}`);
}

async function opened(body: OpenSession) {
  const header = { "Idempotency-Key": crypto.randomUUID() };
  const session = expected(await client.POST("/shop/session", { params: { header }, body }));
  return { session, headers: { Authorization: `Bearer ${session.client_secret}` }, path: { session: session.id } };
}

type Opened = Awaited<ReturnType<typeof opened>>;

async function seen({ session, headers, path }: Opened, ...statuses: Status[]): Promise<Session> {
  let now: Session = session;
  while (!statuses.includes(now.status)) {
    const header = { "If-None-Match": `"${now.version}"`, Prefer: "wait=20" };
    const answer = await client.GET("/shop/session/{session}", { params: { path, header }, headers });
    if (answer.response.status !== 304) now = expected(answer);
  }
  return now;
}

async function happy(): Promise<Session> {
  const order = await opened({ shipping_address: { line1: "1 Harbour Street", city: "Cattown", bell: "Ada" } });
  if (order.session.shipping_address.city !== "Cattown") throw new Failed("it has another address");
  const { path, headers } = order;
  const item = { path: { ...path, sku: "SQUEAKY-BONE" } };
  const put = () =>
    client.PUT("/shop/carts/{session}/items/{sku}", { params: item, headers, body: { quantity: 2 } });
  let answer = await put();
  while (answer.error?.retryable) answer = await put();
  const cart = expected(answer);
  const placed = expected(await client.POST("/shop/carts/{session}/order", { params: { path }, headers }));
  if (placed.total !== cart.total || placed.status !== "placed") throw new Failed("another order was placed");
  const waiting = await seen(order, "requires_action");
  if (waiting.next_action?.type !== "pay") throw new Failed("it does not wait for the payment");
  const paid = expected(await client.POST("/payment/{session}", { params: { path }, headers, body: { token: "tok_ok" } }));
  if (paid.amount !== placed.total) throw new Failed("another amount is to be paid");
  return seen({ ...order, session: { ...order.session, ...waiting } }, ...ENDS);
}

async function declined(): Promise<Session> {
  const items = [{ sku: "SQUEAKY-BONE", quantity: 1 }];
  return seen(await opened({ items, payment: { token: "tok_declined" } }), ...ENDS);
}

async function cancelled(): Promise<Session> {
  const order = await opened({ items: [{ sku: "SQUEAKY-BONE", quantity: 1 }] });
  const { path, headers } = order;
  await seen(order, "requires_action");
  const cancel = "/shop/session/{session}/cancel";
  refused(await client.POST(cancel, { params: { path, header: { "If-Match": '"1"' } }, headers }), "version_conflict");
  expected(await client.POST(cancel, { params: { path }, headers }));
  const ended = await seen(order, ...ENDS);
  refused(
    await client.POST("/payment/{session}", { params: { path }, headers, body: { token: "tok_ok" } }),
    "session_ended",
  );
  return ended;
}

const scenes: Record<string, () => Promise<Session>> = { happy, declined, cancelled };
const play = scenes[scene];
if (play === undefined || !typed.every(Boolean)) throw new Failed(`no such scene: ${scene}`);
const end = await play();
console.log(end.status, end.failure?.code ?? "-", end.total);
