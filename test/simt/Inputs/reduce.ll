; out[block] = sum of x[block * 128 ...]: warps by shuffles, then the first thread over the warps' sums in shared memory.
target triple = "nvptx64-nvidia-cuda"

@sums = internal addrspace(3) global [4 x float] undef, align 4

define ptx_kernel void @reduce(ptr %x, ptr %out) "nvvm.maxntid"="128,1,1" {
entry:
  %tid = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %base = mul i32 %block, 128
  %index = add i32 %base, %tid
  %at = getelementptr float, ptr %x, i32 %index
  %v0 = load float, ptr %at
  %s0 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %v0, i32 16, i32 31)
  %v1 = fadd float %v0, %s0
  %s1 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %v1, i32 8, i32 31)
  %v2 = fadd float %v1, %s1
  %s2 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %v2, i32 4, i32 31)
  %v3 = fadd float %v2, %s2
  %s3 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %v3, i32 2, i32 31)
  %v4 = fadd float %v3, %s3
  %s4 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %v4, i32 1, i32 31)
  %v5 = fadd float %v4, %s4
  %lane = and i32 %tid, 31
  %first = icmp eq i32 %lane, 0
  br i1 %first, label %store, label %meet

store:
  %warp = lshr i32 %tid, 5
  %place = getelementptr [4 x float], ptr addrspace(3) @sums, i32 0, i32 %warp
  store float %v5, ptr addrspace(3) %place
  br label %meet

meet:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %leads = icmp eq i32 %tid, 0
  br i1 %leads, label %finish, label %exit

finish:
  %a = load float, ptr addrspace(3) @sums
  %b = load float, ptr addrspace(3) getelementptr (float, ptr addrspace(3) @sums, i32 1)
  %c = load float, ptr addrspace(3) getelementptr (float, ptr addrspace(3) @sums, i32 2)
  %d = load float, ptr addrspace(3) getelementptr (float, ptr addrspace(3) @sums, i32 3)
  %ab = fadd float %a, %b
  %abc = fadd float %ab, %c
  %abcd = fadd float %abc, %d
  %to = getelementptr float, ptr %out, i32 %block
  store float %abcd, ptr %to
  br label %exit

exit:
  ret void
}

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare float @llvm.nvvm.shfl.sync.bfly.f32(i32, float, i32, i32)
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
