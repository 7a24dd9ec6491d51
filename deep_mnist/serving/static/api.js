// The calls of the JSON API; a refusal becomes an Error with the server's own line, and its status.

export const getModels = () => call("/api/models");

// Whatever it is, the server looks at its bytes: a type that the browser guessed says no more.
export const readPicture = (picture, signal) =>
  call("/api/predict?pixels=1", {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: picture,
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
    throw new Error("The server does not answer. Is it still running?");
  }
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status });
  return answer;
}
