"""The load manager at work: facts come in from everywhere, and the one node that holds the duty plans, sends, keeps."""
