// Where the API is. The server has it at the address of its pages. An application that hosts the dashboard names another path in the page.
const named = document.querySelector('meta[name=pushqueue-api]')?.content;

/** Whether an application serves the page. It signs users in by itself, such as with a cookie. */
export const hosted = named !== undefined;

/** The address that the paths of the API are relative to. */
export const api = new URL(named ?? './', document.baseURI);
