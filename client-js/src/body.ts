/** A consumed body: the JSON value, the text, or bytes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A body as it goes over HTTP: text is `text/plain`, bytes are `application/octet-stream`, all else is JSON. */
export function encodeBody(body: unknown, contentType?: string): { body: string | Bytes | Blob; contentType: string } {
  if (body instanceof Blob) {
    return { body, contentType: contentType ?? (body.type || "application/octet-stream") };
  }

  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    const bytes = body instanceof ArrayBuffer
      ? new Uint8Array(body) : new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength);
    return { body: bytes, contentType: contentType ?? "application/octet-stream" };
  }

  return typeof body === "string"
    ? { body, contentType: contentType ?? "text/plain" } : { body: json(body), contentType: contentType ?? "application/json" };
}

/** As JSON; what JSON has no word for is refused, not dropped. */
export function json(value: unknown): string {
  if (["undefined", "function", "symbol"].includes(typeof value)) {
    throw new TypeError(`A body cannot be ${typeof value}; give a JSON value, a string or bytes.`);
  }

  return JSON.stringify(value);
}

/** Bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  // As many at once as a call may have arguments.
  const chunk = 0x8000;
  let text = "";
  for (let i = 0; i < bytes.length; i += chunk) {
    text += String.fromCharCode(...bytes.subarray(i, i + chunk));
  }

  return btoa(text);
}

/** The bytes of a body that came as base64; undefined where the text is not base64. */
export function decodeBase64(text: unknown): Bytes | undefined {
  try {
    return Uint8Array.from(atob(text as string), character => character.charCodeAt(0));
  } catch {
    // Decoders report that in no other way.
    return undefined;
  }
}
