package wire

// fieldScan is the one pass over a field section, shared by requests, responses and trailers.
type fieldScan struct {
	max        int        // field lines
	underscore Underscore //
	unfold     bool       // responses: a folded line is joined in place by spaces; requests refuse

	fields []Field // memory, then fields[:n] is the result
	n      int
	seen   set // kinds present
	twice  set // kinds present more than once
	folded bool
}

// Reasons for a scan to stop; mapped to an *Error by the caller's table.
type fieldFault uint8

const (
	fieldsDone fieldFault = iota
	fieldsMore
	faultName
	faultValue
	faultFold
	faultUnderscore
	faultMany
)

// err maps a fault to the request's refusal.
func (f fieldFault) err() error {
	switch f {
	case fieldsDone, fieldsMore:
		return nil
	case faultName:
		return errFieldName
	case faultValue:
		return errFieldValue
	case faultFold:
		return errFold
	case faultUnderscore:
		return errUnderscore
	case faultMany:
		return errFieldsMany
	}
	panic("BUG: unknown field fault")
}

// run scans field lines from b[i] to the empty line and returns the index behind it. One loop with its state in locals:
// this is where a request's parsing time goes.
func (s *fieldScan) run(b []byte, i int) (int, fieldFault) {
	fields, first, seen, twice := s.fields, i, set(0), set(0)
	for n := 0; ; n++ {
		for i >= len(b) || b[i] <= ' ' {
			s.n, s.seen, s.twice = n, seen, twice
			next, fault := s.blank(b, i, first)
			if fault != fieldsMore || next == i {
				return next, fault
			}
			i = next
		}
		if n == len(fields) {
			if s.n = n; !s.grow() {
				return i, faultMany
			}
			fields = s.fields
		}
		end, class := nameEnd(b, i)
		if end >= len(b) {
			return i, fieldsMore
		}
		if b[end] != ':' || end == i {
			return end, faultName
		}
		f := &fields[n]
		f.Start, f.NameEnd = uint32(i), uint32(end)
		name := b[i:end]
		for i = end + 1; i < len(b) && (b[i] == ' ' || b[i] == '\t'); i++ {
		}
		end = textEnd(b, i)
		if end+1 >= len(b) || b[end] != '\r' || b[end+1] != '\n' {
			return end, valueFault(b, end)
		}
		f.Value, f.End = uint32(i), uint32(end+2)
		next := end + 2
		for end > i && b[end-1] <= ' ' { // SP or HTAB: textEnd lets nothing else pass
			end--
		}
		f.ValueEnd = uint32(end)
		if class&tokenUnder == 0 {
			f.kind = classify(name)
		} else if s.underscore == UnderscoreReject {
			return i, faultUnderscore
		} else {
			f.kind = classifyUnderscore(name, s.underscore)
		}
		twice |= seen & f.kind.set()
		seen |= f.kind.set()
		i = next
	}
}

// blank handles what stands where a line should start and is no name: the empty line (fieldsDone), a folded line
// (fieldsMore with the index behind it), the end of b (fieldsMore with i), or garbage.
func (s *fieldScan) blank(b []byte, i, first int) (int, fieldFault) {
	if len(b)-i < 2 {
		if i < len(b) && b[i] != '\r' && b[i] != ' ' && b[i] != '\t' {
			return i, faultName
		}
		return i, fieldsMore
	}
	switch b[i] {
	case '\r':
		if b[i+1] != '\n' {
			return i, faultName
		}
		return i + 2, fieldsDone
	case ' ', '\t':
		if !s.unfold || i == first {
			return i, faultFold
		}
		return s.join(b, i)
	}
	return i, faultName
}

// valueFault judges a value that ends at b[end] without a CRLF there.
func valueFault(b []byte, end int) fieldFault {
	if end < len(b) && (b[end] != '\r' || end+1 < len(b)) {
		return faultValue
	}
	return fieldsMore
}

// grow makes room for another field; false at the limit.
func (s *fieldScan) grow() bool {
	if s.n >= s.max {
		return false
	}
	grown := make([]Field, min(max(2*s.n, 32), s.max))
	copy(grown, s.fields)
	s.fields = grown
	return true
}

// join appends the continuation line at b[i] to the field before it: the line end between them becomes two spaces
// (RFC 9112 5.2), so value and line just grow. Results as blank's.
func (s *fieldScan) join(b []byte, i int) (int, fieldFault) {
	end := textEnd(b, i)
	if end+1 >= len(b) || b[end] != '\r' || b[end+1] != '\n' {
		return i, valueFault(b, end)
	}
	b[i-2], b[i-1] = ' ', ' '
	f := &s.fields[s.n-1]
	f.End = uint32(end + 2)
	value := trim(b[f.NameEnd+1 : end])
	f.ValueEnd = f.Value
	if len(value) > 0 {
		f.Value = uint32(end - len(b[f.NameEnd+1:end]))
		for b[f.Value] == ' ' || b[f.Value] == '\t' {
			f.Value++
		}
		f.ValueEnd = f.Value + uint32(len(value))
	}
	s.folded = true
	return end + 2, fieldsMore
}

// find returns the first field of kind k, nil without one.
func find(fields []Field, k kind) *Field {
	for i := range fields {
		if fields[i].kind == k {
			return &fields[i]
		}
	}
	return nil
}

// value returns the value of the first field called name.
func value(b []byte, fields []Field, name string) []byte {
	for i := range fields {
		f := &fields[i]
		if len(name) == int(f.NameEnd-f.Start) && equalNames(b[f.Start:f.NameEnd], name) {
			return b[f.Value:f.ValueEnd:f.ValueEnd]
		}
	}
	return nil
}
