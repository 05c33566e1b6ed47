; C[16, 8] = A[16, K] B[8, K]^T in bf16 with f32 sums, one warp: a ring of two tiles filled by cp.async, read by ldmatrix. A row of a tile
; is 32 bytes, two chunks, which change places in every other group of four rows, so that the eight rows of a matrix lie in all banks.
target triple = "nvptx64-nvidia-cuda"

@ring = internal addrspace(3) global [2 x [768 x i8]] undef, align 16

define ptx_kernel void @product(ptr %a, ptr %b, ptr %c, i32 %steps) {
entry:
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %stride = mul i32 %steps, 32
  ; what this lane copies: chunk lane % 2 of row lane / 2
  %row = lshr i32 %lane, 1
  %chunk = and i32 %lane, 1
  %row.four = lshr i32 %row, 2
  %turn = and i32 %row.four, 1
  %chunk.turned = xor i32 %chunk, %turn
  %row.bytes = mul i32 %row, 32
  %chunk.bytes = mul i32 %chunk.turned, 16
  %to = add i32 %row.bytes, %chunk.bytes
  %from.row = mul i32 %row, %stride
  %from.chunk = mul i32 %chunk, 16
  %from = add i32 %from.row, %from.chunk
  %copies.b = icmp ult i32 %lane, 16
  ; what it names for ldmatrix
  %a.row = and i32 %lane, 15
  %a.chunk = lshr i32 %lane, 4
  %a.four = lshr i32 %a.row, 2
  %a.turn = and i32 %a.four, 1
  %a.turned = xor i32 %a.chunk, %a.turn
  %a.row.bytes = mul i32 %a.row, 32
  %a.chunk.bytes = mul i32 %a.turned, 16
  %a.at = add i32 %a.row.bytes, %a.chunk.bytes
  %b.row = and i32 %lane, 7
  %lane.eight = lshr i32 %lane, 3
  %b.chunk = and i32 %lane.eight, 1
  %b.four = lshr i32 %b.row, 2
  %b.turned = xor i32 %b.chunk, %b.four
  %b.row.bytes = mul i32 %b.row, 32
  %b.chunk.bytes = mul i32 %b.turned, 16
  %b.tile = add i32 %b.row.bytes, %b.chunk.bytes
  %b.at = add i32 %b.tile, 512
  call void @fill(ptr %a, ptr %b, i32 %from, i32 %to, i32 0, i1 %copies.b)
  call void @llvm.nvvm.cp.async.commit.group()
  br label %loop

loop:
  %step = phi i32 [ 0, %entry ], [ %next, %multiply ]
  %c0 = phi float [ 0.0, %entry ], [ %d0, %multiply ]
  %c1 = phi float [ 0.0, %entry ], [ %d1, %multiply ]
  %c2 = phi float [ 0.0, %entry ], [ %d2, %multiply ]
  %c3 = phi float [ 0.0, %entry ], [ %d3, %multiply ]
  %next = add i32 %step, 1
  %isMore = icmp ult i32 %next, %steps
  br i1 %isMore, label %prefetch, label %wait

prefetch:
  %ahead = mul i32 %next, 32
  %from.next = add i32 %from, %ahead
  %stage.next = and i32 %next, 1
  call void @fill(ptr %a, ptr %b, i32 %from.next, i32 %to, i32 %stage.next, i1 %copies.b)
  br label %wait

wait:
  call void @llvm.nvvm.cp.async.commit.group()
  call void @llvm.nvvm.cp.async.wait.group(i32 1)
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  br label %multiply

multiply:
  %stage = and i32 %step, 1
  %a.read = getelementptr [2 x [768 x i8]], ptr addrspace(3) @ring, i32 0, i32 %stage, i32 %a.at
  %b.read = getelementptr [2 x [768 x i8]], ptr addrspace(3) @ring, i32 0, i32 %stage, i32 %b.at
  %fa = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %a.read)
  %fb = call { i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.b16.p3(ptr addrspace(3) %b.read)
  %a0 = extractvalue { i32, i32, i32, i32 } %fa, 0
  %a1 = extractvalue { i32, i32, i32, i32 } %fa, 1
  %a2 = extractvalue { i32, i32, i32, i32 } %fa, 2
  %a3 = extractvalue { i32, i32, i32, i32 } %fa, 3
  %b0 = extractvalue { i32, i32 } %fb, 0
  %b1 = extractvalue { i32, i32 } %fb, 1
  %d = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %a0, i32 %a1, i32 %a2, i32 %a3, i32 %b0, i32 %b1, float %c0, float %c1, float %c2, float %c3)
  %d0 = extractvalue { float, float, float, float } %d, 0
  %d1 = extractvalue { float, float, float, float } %d, 1
  %d2 = extractvalue { float, float, float, float } %d, 2
  %d3 = extractvalue { float, float, float, float } %d, 3
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  br i1 %isMore, label %loop, label %store

store:
  %g = lshr i32 %lane, 2
  %t = and i32 %lane, 3
  %column = mul i32 %t, 2
  %low.row = mul i32 %g, 8
  %low = add i32 %low.row, %column
  %high = add i32 %low, 64
  %low.at = getelementptr float, ptr %c, i32 %low
  %high.at = getelementptr float, ptr %c, i32 %high
  %low.next = getelementptr float, ptr %low.at, i32 1
  %high.next = getelementptr float, ptr %high.at, i32 1
  store float %d0, ptr %low.at
  store float %d1, ptr %low.next
  store float %d2, ptr %high.at
  store float %d3, ptr %high.next
  ret void
}

; Issues the copies of one step into a tile of the ring.
define internal void @fill(ptr %a, ptr %b, i32 %from, i32 %to, i32 %stage, i1 %copies.b) {
entry:
  %a.from = getelementptr i8, ptr %a, i32 %from
  %a.global = addrspacecast ptr %a.from to ptr addrspace(1)
  %a.to = getelementptr [2 x [768 x i8]], ptr addrspace(3) @ring, i32 0, i32 %stage, i32 %to
  call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %a.to, ptr addrspace(1) %a.global)
  br i1 %copies.b, label %second, label %exit

second:
  %b.from = getelementptr i8, ptr %b, i32 %from
  %b.global = addrspacecast ptr %b.from to ptr addrspace(1)
  %b.to = getelementptr i8, ptr addrspace(3) %a.to, i32 512
  call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %b.to, ptr addrspace(1) %b.global)
  br label %exit

exit:
  ret void
}

declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare void @llvm.nvvm.bar.warp.sync(i32)
declare void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3), ptr addrspace(1))
declare void @llvm.nvvm.cp.async.commit.group()
declare void @llvm.nvvm.cp.async.wait.group(i32 immarg)
declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3))
declare { i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.b16.p3(ptr addrspace(3))
declare { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32, i32, i32, i32, i32, i32, float, float, float, float)
