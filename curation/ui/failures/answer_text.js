// "B" of a multiple choice is shown with what it stands for.
export function answerText(answer, choices) {
  const index = choices?.length && /^[A-Z]$/.test(answer) ? answer.charCodeAt(0) - 65 : -1;
  return choices?.[index] ? `${answer}. ${choices[index]}` : answer || "(nothing)";
}
