"""The parts of `decide`, each about one thing: asking, answers, undoing, deadlines, being stuck."""
