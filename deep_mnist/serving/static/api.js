// Calls of the JSON API. An error response becomes an Error with the server's message and status.

export const getModels = () => call("/api/models");

// The server detects the type from the bytes; the browser only guesses it from the file name.
export const predict = (file, signal) =>
  call("/api/predict?pixels=1", {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
    signal,
  });

export const getFeatureMaps = (pixels) =>
  call("/api/feature-maps", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ pixels }),
  });

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not respond. Is it still running?");
  }
  if (response.ok) return response.json();
  // With too many connections, the response is not JSON.
  const busy = { error: "The server is busy. Try again." };
  const { error } = await response.json().catch(() => busy);
  throw Object.assign(new Error(error), { status: response.status });
}
